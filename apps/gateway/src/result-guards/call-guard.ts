import { strictestGuard, type ResultGuard } from '#libs/protocol';
import { calledServer } from '../dispatch/audit-entries.js';
import type { TenantRoutes } from '../routing/tenants.repository.js';
import type { PlacedCall } from '../sessions/place.js';

/** What a release or its server says of itself, which names and addresses are part of. */
const UNGUARDED = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'logging/setLevel',
]);

/** What the answer to a call may hold: as its server says, or as all say that may have a part in it. */
export function callGuard(call: PlacedCall): ResultGuard | undefined {
  const { servers } = call.tenant;
  if (!servers.some(({ resultGuard }) => resultGuard !== null)) return undefined;
  if (UNGUARDED.has(call.exchange.head?.method ?? '')) return undefined;
  const called = calledServer(call)?.slug;
  return serversGuard(
    call.tenant,
    called === undefined ? call.route.mounts.map(({ serverSlug }) => serverSlug) : [called],
  );
}

/** What answers may hold that these servers have a part in. */
export function serversGuard(
  { servers }: Pick<TenantRoutes, 'servers'>,
  slugs: readonly string[],
): ResultGuard | undefined {
  return strictestGuard(servers.filter(({ slug }) => slugs.includes(slug)).map(({ resultGuard }) => resultGuard));
}
