import { newId, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import { ArchiveError, ArchiveUnwelcome } from '#libs/tenant-archive';
import {
  ATTEMPTS_MAX,
  deleteEndedParts,
  failImport,
  releaseImport,
  takeImport,
  tidyImports,
  type TakenImport,
} from './imports.repository.js';
import { RunImport, RunLost, type ImportingParts } from './run-import.js';

const EVERY_MS = 3_000;
/** Parts that are deleted in one transaction: 32 are 128 MiB. */
const PARTS = 32;

/** Looks for an archive that waits to be imported, and imports it. */
export class ImportClock {
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<unknown> = Promise.resolve();
  #isBusy = false;

  constructor(
    private readonly parts: ImportingParts,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      if (this.#isBusy) return;
      this.#isBusy = true;
      this.#working = this.look()
        .catch((error: unknown) => this.logger.warn({ err: error }, 'imports of tenants were not looked for'))
        .finally(() => (this.#isBusy = false));
    }, EVERY_MS);
    this.#timer.unref();
  }

  /** Ends the run in hand, of which nothing is seen; another process begins it anew. */
  async stop(): Promise<void> {
    this.#stopping.abort(new RunLost());
    clearInterval(this.#timer);
    await this.#working;
  }

  /** Imports what waits, and deletes the bytes of what has ended; returns how many imports it took. */
  async look(): Promise<number> {
    const taken = await this.#database.asService((tx) => takeImport(tx, newId()));
    if (taken !== undefined) await this.#run(taken);
    await this.#database.asService(tidyImports);
    const deleteSome = (): Promise<number> => this.#database.asService((tx) => deleteEndedParts(tx, PARTS));
    while (!this.#stopping.signal.aborted && (await deleteSome()) === PARTS);
    return taken === undefined ? 0 : 1;
  }

  get #database(): Database {
    return this.parts.database;
  }

  async #run(taken: TakenImport): Promise<void> {
    try {
      const { tenantId } = await new RunImport(this.parts, taken, this.#stopping.signal).run();
      this.logger.info({ import: taken.id, tenant_id: tenantId }, 'a tenant was imported');
    } catch (error) {
      await this.#end(taken, error);
    }
  }

  /** What the archive is at fault for is told; anything else is tried again, and then told as ours. */
  async #end(taken: TakenImport, error: unknown): Promise<void> {
    const told = error instanceof ArchiveError ? error.message : undefined;
    if (told === undefined && (this.#stopping.signal.aborted || taken.attempts < ATTEMPTS_MAX)) {
      this.logger.warn({ err: error, import: taken.id }, 'an import of a tenant is begun anew');
      if (!(error instanceof RunLost) || this.#stopping.signal.aborted)
        await this.#database.asService((tx) => releaseImport(tx, taken, this.#stopping.signal.aborted ? 1 : 0));
      return;
    }
    this.logger.warn({ err: error, import: taken.id }, 'a tenant could not be imported');
    const failure = told ?? 'The import could not be done, and nothing was changed. The platform’s log says why.';
    const parts = told === undefined || error instanceof ArchiveUnwelcome ? 'kept' : 'of no use';
    await this.#database.asService((tx) => failImport(tx, taken, { failure, parts }));
  }
}
