import type { ResultGuard } from '#libs/protocol';
import { calledServer } from '../dispatch/audit-entries.js';
import type { PlacedCall } from '../sessions/place.js';
import { serversGuard } from './servers-guard.js';

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
