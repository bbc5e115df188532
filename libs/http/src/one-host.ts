import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';

const HOST = 'host';

/**
 * Refuses a request with more than one `Host` (RFC 9112 §3.2): whoever stands before us may have judged the other one.
 * @throws AppError invalid_request
 */
export function requireOneHost(request: IncomingMessage): void {
  const { rawHeaders } = request; // names and values in turns
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === HOST.length && name.toLowerCase() === HOST) hosts += 1;
  }
  if (hosts <= 1) return;
  throw new AppError('invalid_request', { message: 'The request has more than one Host header. Send exactly one.' });
}
