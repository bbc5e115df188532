import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '#libs/errors';
import { requestTraceparent } from './respond.js';

/** A request's id: that of the trace which it names, or a new one. */
export function requestIdOf(request: IncomingMessage): string {
  return requestTraceparent(request)?.split('-')[1] ?? randomBytes(16).toString('hex');
}

/** Where the management API explains a kind of error. */
export function errorDocs(publicUrl: string, code: ErrorCode): string {
  return `${publicUrl.replace(/\/$/, '')}/v1/docs/errors#${code}`;
}
