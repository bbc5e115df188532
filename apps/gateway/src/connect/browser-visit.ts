import type { IncomingMessage } from 'node:http';

/**
 * Whether a request is a person's browser that opened the URL: a GET without credentials that would rather have HTML
 * than anything a tenant URL answers agents with (RFC 9110 §12.5.1). What accepts HTML only as "anything" is no browser.
 */
export function isBrowserVisit(request: IncomingMessage): boolean {
  const { method, headers } = request;
  if (method !== 'GET' || headers.authorization !== undefined || headers['x-api-key'] !== undefined) return false;
  const ranges = rangesOf(headers.accept ?? '');
  const ofPage = ranges.get('text/html') ?? 0;
  return ofPage > 0 && ['application/json', 'text/event-stream'].every((type) => (ranges.get(type) ?? 0) < ofPage);
}

/** The types that are named, with how much each is wanted. */
function rangesOf(accept: string): Map<string, number> {
  const ranges = accept
    .toLowerCase()
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim()));
  return new Map(ranges.map(([type = '', ...parameters]) => [type, qualityOf(parameters)]));
}

function qualityOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return quality >= 0 && quality <= 1 ? quality : 0;
}
