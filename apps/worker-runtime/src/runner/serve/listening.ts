import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import type { DocumentChange } from '#libs/protocol';
import type { MountedBundle } from '../hosting/hosted-server.js';
import type { Listener } from '../listening/listeners.js';
import type { StdioHost } from '../hosting/stdio-host.js';
import { visibleUris } from '../forwarding/viewed.js';
import { changeNotifications } from '../knowledge/knowledge-servers.js';
import { plainClient } from '../peer/modern-client.js';
import type { RemoteListener } from '../remote/remote-listeners.js';
import type { RemoteServers } from '../remote/remote-servers.js';
import type { Caller } from '../mcp-servers/callers.js';
import type { Catalogue } from '../mcp-servers/catalogue.js';
import type { ModernRequest } from './modern-request.js';

/** The servers of a worker that may be listened to. */
export interface ListenedServers {
  readonly catalogue: Catalogue;
  readonly remote: RemoteServers;
  readonly openHost: () => Promise<StdioHost>;
  readonly onChange: OnChange;
}

/** Has somebody told of changed documents. */
export type OnChange = (hear: (change: DocumentChange) => void) => void;

const WATCHED_MAX = 256;

/** Has a client that listens hear what the servers that work for it say (MCP 2026-07-28, `subscriptions/listen`). */
export function listenToServers(
  { catalogue, remote, openHost, onChange }: ListenedServers,
  caller: Caller,
  request: ModernRequest,
  { params }: JSONRPCRequest,
): void {
  const common: Omit<Listener<never>, 'servers'> = {
    caller: { ...caller, client: plainClient(params?._meta) },
    uris: visibleUris(catalogue.view, watchedUris(params)),
    hear: (notification) => request.notify(notification),
  };
  if (catalogue.knowledge.length > 0)
    onChange((change) => changeNotifications(change, common.uris).forEach(common.hear));
  const rooms: Array<{ add(): Promise<void>; remove(): Promise<void> }> = [];
  if (catalogue.bundles.length > 0) {
    const listener: Listener<MountedBundle> = { ...common, servers: catalogue.bundles };
    rooms.push({
      add: async () => (await openHost()).listeners.add(listener),
      remove: async () => (await openHost()).listeners.remove(listener),
    });
  }
  if (catalogue.upstreams.length > 0) {
    const listener: RemoteListener = { ...common, servers: catalogue.upstreams, s: caller.s };
    rooms.push({ add: () => remote.listen(listener), remove: () => remote.leave(listener) });
  }
  for (const room of rooms) {
    const added = room.add();
    added.catch(() => request.refuse('unavailable', 'Too many clients listen here. Try again later.'));
    request.onceOver(() => void added.then(() => room.remove()).catch(() => undefined)); // who was refused never listened
  }
}

/** The resources that a request to listen names. */
function watchedUris(params: JSONRPCRequest['params']): ReadonlySet<string> {
  const filter = params?.['notifications'] as { resourceSubscriptions?: unknown } | null | undefined; // any shape ends as none
  const uris: unknown = filter?.resourceSubscriptions;
  const named = Array.isArray(uris) ? uris.filter((uri): uri is string => typeof uri === 'string') : [];
  return new Set(named.slice(0, WATCHED_MAX));
}
