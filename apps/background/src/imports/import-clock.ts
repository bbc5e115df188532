import { newId, type Database } from '#libs/database';
import { Rounds } from '#libs/resilience';
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
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: () => this.look(),
    onFailed: (error) => this.logger.warn({ err: error }, 'imports of tenants were not looked for'),
  });

  constructor(
    private readonly parts: ImportingParts,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#rounds.start();
  }

  /** Ends the run in hand, of which nothing is seen; another process begins it anew. */
  async stop(): Promise<void> {
    await this.#rounds.stop(new RunLost());
  }

  /** Imports what waits, and deletes the bytes of what has ended; returns how many imports it took. */
  async look(): Promise<number> {
    const taken = await this.#database.asService((tx) => takeImport(tx, newId()));
    if (taken !== undefined) await this.#run(taken);
    await this.#database.asService(tidyImports);
    const deleteSome = (): Promise<number> => this.#database.asService((tx) => deleteEndedParts(tx, PARTS));
    while (!this.#rounds.signal.aborted && (await deleteSome()) === PARTS);
    return taken === undefined ? 0 : 1;
  }

  get #database(): Database {
    return this.parts.database;
  }

  async #run(taken: TakenImport): Promise<void> {
    try {
      const { tenantId } = await new RunImport(this.parts, taken, this.#rounds.signal).run();
      this.logger.info({ import: taken.id, tenant_id: tenantId }, 'a tenant was imported');
    } catch (error) {
      await this.#end(taken, error);
    }
  }

  /** What the archive is at fault for is told; anything else is tried again, and then told as ours. */
  async #end(taken: TakenImport, error: unknown): Promise<void> {
    const told = error instanceof ArchiveError ? error.message : undefined;
    if (told === undefined && (this.#rounds.signal.aborted || taken.attempts < ATTEMPTS_MAX)) {
      this.logger.warn({ err: error, import: taken.id }, 'an import of a tenant is begun anew');
      if (!(error instanceof RunLost) || this.#rounds.signal.aborted)
        await this.#database.asService((tx) => releaseImport(tx, taken, this.#rounds.signal.aborted ? 1 : 0));
      return;
    }
    this.logger.warn({ err: error, import: taken.id }, 'a tenant could not be imported');
    const failure = told ?? 'The import could not be done, and nothing was changed. The platform’s log says why.';
    const parts = told === undefined || error instanceof ArchiveUnwelcome ? 'kept' : 'of no use';
    await this.#database.asService((tx) => failImport(tx, taken, { failure, parts }));
  }
}
