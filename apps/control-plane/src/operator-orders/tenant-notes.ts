import { appendAudit } from '#libs/audit';
import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import { claimNotes, forgetNote, hasTenant, type DueNote } from './operator-notes.repository.js';

/** An operator waits no longer for the tenants' logs to say what was done. */
const SOON_MS = 1_000;
const EVERY_MS = 30_000;
const NOTES_MAX = 100;
/** Of an order whose end nobody knows: its process ended before. */
const UNKNOWN = 'interrupted';

/**
 * Brings what operators did outside the database to the log of each tenant that it concerns. It is kept in the common
 * database until then: a tenant whose own database is away, or that is on its way between two, has the entry, of that time,
 * when it is back.
 */
export class TenantNotes {
  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  /** Brings notes to their logs, for which nobody waits longer than a second, nor fails: what is left, the sweep brings. */
  async tellSoon(notes: readonly DueNote[]): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, SOON_MS);
    void this.#tellEach(notes).then(() => over.resolve());
    await over.promise;
    clearTimeout(timer);
  }

  /** Brings notes that are due to their logs; returns how many are there by now. */
  async tellDue(limit: number): Promise<number> {
    return this.#tellEach(await this.database.asService((tx) => claimNotes(tx, limit)));
  }

  async #tellEach(notes: readonly DueNote[]): Promise<number> {
    let told = 0;
    for (const note of notes) {
      try {
        await this.#tell(note);
        told += 1;
      } catch (error) {
        const { id, tenantId } = note;
        this.logger.warn({ err: error, entry_id: id, tenantId }, 'an operator’s act waits for the tenant’s log');
      }
    }
    return told;
  }

  async #tell({ id, tenantId, at, outcome, entry }: DueNote): Promise<void> {
    if (await this.database.asService((tx) => hasTenant(tx, tenantId))) {
      const whole = { ...entry, id, at, outcome: outcome ?? UNKNOWN };
      await this.database.asTenant(tenantId, (tx) => appendAudit(tx, tenantId, [whole]));
    }
    await this.database.asService((tx) => forgetNote(tx, id));
  }
}

/** Brings what is kept to the logs that do not have it, now and every half minute. */
export function tenantNoteSweep(database: Database, logger: Logger): BatchSweep {
  const notes = new TenantNotes(database, logger);
  return new BatchSweep({
    everyMs: EVERY_MS,
    deleteBatch: () => notes.tellDue(NOTES_MAX),
    onSwept: (told) => logger.info({ told }, 'acts of operators reached the logs of tenants'),
    onFailed: (error) => logger.warn({ err: error }, 'acts of operators could not be brought to the logs of tenants'),
  });
}
