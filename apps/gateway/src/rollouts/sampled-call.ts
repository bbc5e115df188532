import type { Mount } from '#libs/protocol';
import type { RolloutRoute } from '../routing/tenants.repository.js';
import type { PlacedCall } from '../sessions/place.js';

/** A call to a server that is being rolled out, and which of its releases it went to. */
export interface SampledCall {
  readonly rollout: RolloutRoute;
  readonly mount: Mount;
  /** The tool without the mount's prefix; undefined for other requests. */
  readonly tool: string | undefined;
}

/** What of a rollout a call tells; undefined for calls that no rollout is interested in. */
export function sampledCall({ exchange, tenant, route, tool }: PlacedCall): SampledCall | undefined {
  const { head } = exchange;
  if (head?.kind !== 'request') return undefined;
  const named = head.method === 'tools/call' ? head.subject : undefined;
  const [only] = route.mounts;
  const isFor = ({ serverSlug, prefix }: Mount): boolean =>
    tool === undefined ? named?.startsWith(prefix) === true : tool.serverSlug === serverSlug;
  const mount = route.mounts.length === 1 ? only : route.mounts.find(isFor);
  if (mount === undefined) return undefined;
  const rollout = tenant.servers.find(({ slug }) => slug === mount.serverSlug)?.rollout ?? undefined;
  if (rollout === undefined) return undefined;
  if (mount.releaseId !== rollout.stableId && mount.releaseId !== rollout.candidateId) return undefined;
  return { rollout, mount, tool: tool?.name ?? named?.slice(mount.prefix.length) };
}
