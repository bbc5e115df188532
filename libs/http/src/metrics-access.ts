import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { processEnvironment } from '#libs/config';

const FORWARDED = ['forwarded', 'x-forwarded-for', 'via'];

/**
 * Whether a request may read metrics, which name tenants and their tools: with the operator's `WHARF_METRICS_KEY` as a
 * bearer token, and where there is no such key, from this machine alone and not through a proxy.
 */
export function mayReadMetrics(request: IncomingMessage): boolean {
  const key = processEnvironment()['WHARF_METRICS_KEY'];
  if (key !== undefined && key !== '') return isSame(request.headers.authorization ?? '', `Bearer ${key}`);
  const from = request.socket.remoteAddress ?? '';
  const near = from === '::1' || from.startsWith('127.') || from.startsWith('::ffff:127.');
  return near && FORWARDED.every((name) => request.headers[name] === undefined);
}

function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
