import { AppError } from '#libs/errors';
import { requireStream } from '../edge/accept.js';
import { classifyMessage } from '../edge/classify.js';
import type { Exchange } from '../edge/exchange.js';
import type { InboundCall } from '../edge/inbound-call.js';
import type { ReceivedMessage } from '../edge/read-message.js';
import type { TenantUrl } from '../edge/tenant-url.js';
import type { RoutedCall } from '../routing/route-table.js';
import type { TenantRoutes } from '../routing/tenants.repository.js';

/** The query parameter that names the session of a message. */
export const SESSION_PARAMETER = 'sessionId';

/**
 * The HTTP+SSE transport is served where the tenant has switched it on for every server of the URL, as long as the
 * platform has it on. @throws AppError not_found
 */
export function requireTransport({ target, tenant, route }: RoutedCall): void {
  if (target.transport === 'http') return;
  const served = new Set(route.mounts.map(({ serverSlug }) => serverSlug));
  requireSwitch(
    tenant,
    tenant.servers.filter(({ slug }) => served.has(slug)),
  );
}

/** The same for the metadata of the transport's URL. @throws AppError not_found */
export function requireTransportAt({ transport, serverSlug }: TenantUrl, tenant: TenantRoutes): void {
  if (transport === 'http') return;
  const { servers } = tenant;
  requireSwitch(tenant, serverSlug === undefined ? servers : servers.filter(({ slug }) => slug === serverSlug));
}

function requireSwitch({ flags }: TenantRoutes, servers: TenantRoutes['servers']): void {
  if (!flags.sse_transport || servers.length === 0 || !servers.every(({ sseTransport }) => sseTransport))
    throw new AppError('not_found');
}

/** A GET that opens a session's one stream (MCP 2024-11-05, transports, "HTTP with SSE"). @throws AppError */
export function readOldStream({ request, method }: InboundCall): Exchange {
  if (method !== 'GET') throw new AppError('method_not_allowed', { message: 'The stream is opened with GET.' });
  requireStream(request);
  return { era: 'legacy', operation: 'listen', payload: Buffer.alloc(0) };
}

/** A POSTed message of the session that its query names; the answer goes to the session's stream. @throws AppError */
export function readOldMessage(call: InboundCall, received: ReceivedMessage): Exchange {
  const exchange = classifyMessage(call.request, received);
  if (exchange.era === 'modern') {
    throw new AppError('invalid_request', { message: 'This transport serves sessions of 2024 and 2025 alone.' });
  }
  if (call.sessionParameter === undefined) throw new AppError('session_required');
  return { ...exchange, sessionId: call.sessionParameter };
}
