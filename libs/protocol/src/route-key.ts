import { canonicalJson, sha256Digest } from './canonical-json.js';
import type { Mount } from './messages.js';

/** The key of a route's binding: the same tenant and mounts always give the same worker. */
export function routeKey(tenantId: string, mounts: readonly Mount[]): string {
  return sha256Digest(canonicalJson({ tenantId, mounts }));
}
