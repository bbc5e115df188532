import { digestOf, type BlobStore, type Placed } from '#libs/blobs';
import type { Database, Transaction } from '#libs/database';
import { Rounds } from '#libs/resilience';
import type { Logger } from '#libs/telemetry';
import { findArchiveHere, pointArchive } from '../audit-log/archive.repository.js';
import { findArtefactHere, pointArtefact, tenantsAfter } from './moves.repository.js';

const EVERY_MS = 60 * 60 * 1_000;
const TENANTS = 100;
/** After so many failures in a row the trouble is not that of what was to be moved. */
const FAILED_IN_A_ROW_MAX = 10;

/**
 * Moves what is still in PostgreSQL into the object store, once there is one: artefacts and archives of the audit log,
 * one at a time. A row names its old place until its bytes are at the new one.
 */
export class BlobMover {
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: async () => {
      const moved = await this.move();
      if (moved > 0) this.logger.info({ moved }, 'moved to the object store');
    },
    onFailed: (error) => this.logger.warn({ err: error }, 'not everything could be moved to the object store'),
  });
  #failedInARow = 0;
  /** The last tenant of a round that was given up. */
  #lastTenant: string | null = null;

  constructor(
    private readonly database: Database,
    private readonly blobs: BlobStore,
    private readonly logger: Logger,
    private readonly region: string | undefined = undefined,
  ) {}

  start(): void {
    if (this.blobs.hasObjects) this.#rounds.start();
  }

  /** Ends after the bytes in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Moves everything of every tenant that is served here, beginning where the last round was given up; returns how much. */
  async move(): Promise<number> {
    let moved = 0;
    this.#failedInARow = 0;
    while (!this.#isOver) {
      const after = this.#lastTenant;
      const found = await this.database.everywhere((tx) =>
        tenantsAfter(tx, { after, limit: TENANTS, region: this.region }),
      );
      const tenants = found.flat().toSorted().slice(0, TENANTS);
      for (const tenantId of tenants) {
        if (this.#isOver) return moved;
        moved += await this.#ofTenant(tenantId);
        this.#lastTenant = tenantId;
      }
      if (tenants.length < TENANTS) {
        this.#lastTenant = null;
        break;
      }
    }
    return moved;
  }

  get #isOver(): boolean {
    return this.#rounds.signal.aborted || this.#failedInARow >= FAILED_IN_A_ROW_MAX;
  }

  async #ofTenant(tenantId: string): Promise<number> {
    try {
      return (await this.#artefacts(tenantId)) + (await this.#archives(tenantId));
    } catch (error) {
      // One tenant's trouble is not another's.
      this.#noteFailure(tenantId, error);
      return 0;
    }
  }

  async #artefacts(tenantId: string): Promise<number> {
    let moved = 0;
    for (let after = ''; !this.#isOver;) {
      const from = after;
      const found = await this.database.asTenant(tenantId, (tx) => findArtefactHere(tx, tenantId, from));
      if (found === undefined) break;
      after = found.digest;
      if (await this.#moveOne(tenantId, found, (tx, placed) => pointArtefact(tx, tenantId, placed))) moved += 1;
    }
    return moved;
  }

  async #archives(tenantId: string): Promise<number> {
    let moved = 0;
    for (let after = -1; !this.#isOver;) {
      const from = after;
      const found = await this.database.asTenant(tenantId, (tx) => findArchiveHere(tx, tenantId, from));
      if (found === undefined) break;
      const { firstLeaf } = found;
      after = firstLeaf;
      if (await this.#moveOne(tenantId, found, (tx, placed) => pointArchive(tx, tenantId, firstLeaf, placed)))
        moved += 1;
    }
    return moved;
  }

  /** True where the bytes are in the object store now. What cannot be moved stays where it is, and what is behind it goes on. */
  async #moveOne(
    tenantId: string,
    { digest, content }: { readonly digest: string; readonly content: Buffer },
    point: (tx: Transaction, placed: Placed) => Promise<boolean>,
  ): Promise<boolean> {
    if (digestOf(content) !== digest) {
      this.logger.error({ tenant_id: tenantId, digest }, 'stored bytes are damaged, and stay where they are');
      return false;
    }
    try {
      const placed = await this.blobs.place(tenantId, content);
      const isPointed = await this.database.asTenant(tenantId, (tx) => point(tx, placed));
      this.#failedInARow = 0;
      return isPointed;
    } catch (error) {
      this.#noteFailure(tenantId, error, digest);
      return false;
    }
  }

  #noteFailure(tenantId: string, error: unknown, digest?: string): void {
    this.#failedInARow += 1;
    this.logger.error({ err: error, tenant_id: tenantId, digest }, 'could not be moved to the object store');
  }
}
