import type { BlobStore } from '#libs/blobs';
import type { Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import { findArchiveHere, pointArchive } from '../audit-log/archive.repository.js';
import { findArtefactHere, pointArtefact, tenantsAfter } from './moves.repository.js';

const EVERY_MS = 60 * 60 * 1_000;
const TENANTS = 100;

/**
 * Moves what is still in PostgreSQL into the object store, once there is one: artefacts and archives of the audit log,
 * one at a time. A row names its old place until its bytes are at the new one.
 */
export class BlobMover {
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly blobs: BlobStore,
    private readonly logger: Logger,
  ) {}

  start(): void {
    if (!this.blobs.hasObjects) return;
    const run = (): void => {
      this.#working = this.#working
        .then(() => this.move())
        .then((moved) => moved > 0 && this.logger.info({ moved }, 'moved to the object store'))
        .catch((error: unknown) =>
          this.logger.warn({ err: error }, 'not everything could be moved to the object store'),
        );
    };
    run();
    this.#timer = setInterval(run, EVERY_MS);
    this.#timer.unref();
  }

  /** Ends after the bytes in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#working;
  }

  /** Moves everything of every tenant; returns how much. */
  async move(): Promise<number> {
    let moved = 0;
    let last: string | null = null;
    while (!this.#stopped) {
      const after: string | null = last;
      const tenants: string[] = await this.database.asService((tx) => tenantsAfter(tx, after, TENANTS));
      for (const tenantId of tenants) moved += (await this.#artefacts(tenantId)) + (await this.#archives(tenantId));
      last = tenants.at(-1) ?? null;
      if (tenants.length < TENANTS) break;
    }
    return moved;
  }

  async #artefacts(tenantId: string): Promise<number> {
    let moved = 0;
    for (let after = ''; !this.#stopped;) {
      const from = after;
      const found = await this.database.asTenant(tenantId, (tx) => findArtefactHere(tx, tenantId, from));
      if (found === undefined) break;
      const placed = await this.blobs.place(tenantId, found.content);
      if (await this.database.asTenant(tenantId, (tx) => pointArtefact(tx, tenantId, placed))) moved += 1;
      after = found.digest;
    }
    return moved;
  }

  async #archives(tenantId: string): Promise<number> {
    let moved = 0;
    for (let after = -1; !this.#stopped;) {
      const from = after;
      const found = await this.database.asTenant(tenantId, (tx) => findArchiveHere(tx, tenantId, from));
      if (found === undefined) break;
      const placed = await this.blobs.place(tenantId, found.content);
      if (placed.digest !== found.digest)
        throw new Error(`archive ${found.firstLeaf} of tenant ${tenantId} is damaged`);
      const { firstLeaf } = found;
      if (await this.database.asTenant(tenantId, (tx) => pointArchive(tx, tenantId, firstLeaf, placed))) moved += 1;
      after = firstLeaf;
    }
    return moved;
  }
}
