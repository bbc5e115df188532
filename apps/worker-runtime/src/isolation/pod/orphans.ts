import type { V1Lease } from '@kubernetes/client-node';
import type { Logger } from '#libs/telemetry';
import { reasonOf, type Cluster } from './cluster.js';
import { OWNER_LABEL } from './pod-manifest.js';

const RENEW_MS = 10_000;
const LEASE_SECONDS = 60;
const OLD_MS = 3_600_000;

/** What a sweep spares of our own. */
type IsOurs = (name: string) => boolean;

/**
 * Keeps pods from outliving their runtime. Each runtime renews a lease; whoever sees one that has run out, or pods of a
 * runtime without any, deletes what that runtime had. The same sweep takes what is ours and was not deleted in time.
 */
export class Orphans {
  readonly #cluster: Cluster;
  readonly #owner: string;
  readonly #logger: Logger;
  readonly #isOurs: IsOurs;
  /** When each lease was last seen to change. */
  readonly #seen = new Map<string, { readonly renewedMs: number; readonly atMs: number }>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(cluster: Cluster, owner: string, logger: Logger, isOurs: IsOurs) {
    this.#cluster = cluster;
    this.#owner = owner;
    this.#logger = logger;
    this.#isOurs = isOurs;
  }

  /** Takes the lease, before there is any pod, and sweeps from now on. @throws what the cluster answers */
  async start(): Promise<void> {
    await this.#cluster.renewLease(this.#owner, LEASE_SECONDS);
    this.#next(0);
  }

  /** Sweeps no longer and gives the lease up. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#running;
    clearTimeout(this.#timer);
    await this.#cluster.deleteLease(this.#owner);
  }

  #next(afterMs: number): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#turn().finally(() => {
        if (this.#timer !== undefined) this.#next(RENEW_MS);
      });
    }, afterMs).unref();
  }

  async #turn(): Promise<void> {
    try {
      await this.#cluster.renewLease(this.#owner, LEASE_SECONDS);
      await this.#sweep();
    } catch (error) {
      this.#logger.warn({ reason: reasonOf(error) }, 'orphaned pods could not be swept');
    }
  }

  async #sweep(): Promise<void> {
    // What is there is listed before the leases: who makes a pod has its lease before.
    const pods = await this.#cluster.listOwned('pod');
    const secrets = await this.#cluster.listOwned('secret');
    const leases = await this.#cluster.listLeases();
    const living = new Set(leases.filter((lease) => this.#isLive(lease)).map(ownerOf));
    const isOrphan = ({ name, owner }: { name: string; owner: string }): boolean =>
      owner === this.#owner ? !this.#isOurs(name) : !living.has(owner);
    for (const { name } of pods.filter(isOrphan)) await this.#cluster.deletePod(name);
    for (const { name } of secrets.filter(isOrphan)) await this.#cluster.deleteSecret(name);
    for (const owner of leases.map(ownerOf))
      if (!living.has(owner) && owner !== this.#owner) await this.#cluster.deleteLease(owner);
  }

  /**
   * A lease has run out when we have seen it unchanged for its duration, so that clocks need not agree; or when it is
   * so old that no clock is that wrong.
   */
  #isLive(lease: V1Lease): boolean {
    const owner = ownerOf(lease);
    const renewedMs = lease.spec?.renewTime === undefined ? 0 : new Date(lease.spec.renewTime).getTime();
    const seen = this.#seen.get(owner);
    if (seen?.renewedMs !== renewedMs) this.#seen.set(owner, { renewedMs, atMs: performance.now() });
    const unchangedMs = seen?.renewedMs === renewedMs ? performance.now() - seen.atMs : 0;
    const live = unchangedMs < LEASE_SECONDS * 1_000 && Date.now() - renewedMs < OLD_MS;
    if (!live) this.#seen.delete(owner);
    return live;
  }
}

function ownerOf({ metadata }: V1Lease): string {
  return metadata?.labels?.[OWNER_LABEL] ?? '';
}
