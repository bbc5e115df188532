import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';
import { requireOneHost } from '#libs/http';
import type { TenantUrls } from './tenant-url.js';

/**
 * Refuses requests under a foreign name, so that a page which makes its own name resolve to us (DNS rebinding)
 * cannot use the visitor's browser to reach us. Returns the accepted, lower-case `Host`.
 * @throws AppError origin_refused, invalid_request
 */
export function requireOwnHost(request: IncomingMessage, urls: TenantUrls): string {
  requireOneHost(request);
  const host = (request.headers.host ?? '').toLowerCase();
  if (urls.isSharedHost(host) || urls.tenantOfHost(host) !== undefined) return host;
  throw new AppError('origin_refused', { message: 'This Host is not served here. Use the URL you were given.' });
}
