import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';

/**
 * Refuses a request with more than one `Host` (RFC 9112 §3.2): whoever stands before us may have judged the other one.
 * @throws AppError invalid_request
 */
export function requireOneHost(request: IncomingMessage): void {
  if ((request.headersDistinct['host']?.length ?? 0) <= 1) return;
  throw new AppError('invalid_request', { message: 'The request has more than one Host header. Send exactly one.' });
}
