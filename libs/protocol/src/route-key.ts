import { canonicalJson, sha256Digest } from './canonical-json.js';
import type { Mount, RouteBinding } from './messages.js';

/** The key of a route's binding: the same tenant, mounts and view always give the same worker. */
export function routeKey(tenantId: string, mounts: readonly Mount[], view?: string): string {
  return sha256Digest(canonicalJson({ tenantId, mounts, view }));
}

/** Digests of all that a worker of a route is bound to: its releases, each once, and its view. */
export function digestsOf({ mounts, view }: Pick<RouteBinding, 'mounts' | 'view'>): string[] {
  return [...new Set([...mounts.map(({ digest }) => digest), ...(view === undefined ? [] : [view])])];
}
