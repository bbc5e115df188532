import type { Bundle, Offers } from '#libs/protocol';
import type { MountedKnowledge } from '../knowledge/mounted-knowledge.js';
import type { MountedResults } from '../results/mounted-results.js';
import type { MountedUpstream } from '../upstream-sessions/mounted-upstream.js';

/** A third-party server of the route: which release of which bundle. */
export interface HostedServer {
  /** Digest of the release's manifest. */
  readonly digest: string;
  readonly bundle: Bundle;
  /** Where it may go. */
  readonly origins: readonly string[];
}

/** A bundled server as a route serves it: what it names itself has the mount's prefix. */
export interface MountedBundle extends HostedServer {
  readonly kind: 'bundle';
  readonly prefix: string;
  readonly offers: Offers | undefined;
}

/** What offers more than tools: a process beside us, an upstream, documents of the tenant, or kept results. */
export type MountedServer = MountedBundle | MountedUpstream | MountedKnowledge | MountedResults;
