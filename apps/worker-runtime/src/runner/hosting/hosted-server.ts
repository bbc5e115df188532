import type { Bundle } from '#libs/protocol';

/** A third-party server of the route: which release of which bundle. */
export interface HostedServer {
  /** Digest of the release's manifest. */
  readonly digest: string;
  readonly bundle: Bundle;
  /** Where it may go. */
  readonly origins: readonly string[];
}

/** A third-party server as a route serves it: what it names itself has the mount's prefix. */
export interface MountedServer extends HostedServer {
  readonly prefix: string;
}
