import type { IncomingMessage } from 'node:http';
import { AppError } from '#libs/errors';
import { requireOneHost } from '#libs/http';
import { isLoopback, type TenantUrls } from './tenant-url.js';

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

/**
 * Refuses browser origins that cannot be trusted with an answer: `null`, and plain `http` from anywhere but ourselves
 * and this machine. Credentials never come from the browser itself (no cookies), so any secure origin may be a client.
 * Returns the origin, undefined outside browsers.
 * @throws AppError origin_refused
 */
export function requireAllowedOrigin(request: IncomingMessage, urls: TenantUrls): string | undefined {
  const origin = request.headers.origin;
  if (origin === undefined) return undefined;
  if (isAllowed(origin, urls)) return origin;
  throw new AppError('origin_refused', { message: 'This Origin is not allowed. Call from an https origin.' });
}

function isAllowed(origin: string, urls: TenantUrls): boolean {
  if (origin === urls.publicOrigin) return true;
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  if (url.origin !== origin) return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && (isLoopback(url.hostname) || urls.tenantOfHost(url.host) !== undefined);
}
