import { appendAudit, type AuditEntry } from '#libs/audit';
import { newId, unlessAway, type Database } from '#libs/database';
import type { BreakerChange, RuntimeClient } from '#libs/protocol';
import { Rounds } from '#libs/resilience';
import type { Logger } from '#libs/telemetry';

const EVERY_MS = 5_000;
/** Changes that may wait for the database; the oldest are written first. */
const WAITING_MAX = 10_000;

/** What the clock works with. */
export interface BreakerClockParts {
  readonly database: Database;
  readonly runtime: Pick<RuntimeClient, 'breakerChanges'>;
  readonly logger: Logger;
}

/** Brings what breakers have done at worker-runtimes, which reach no database, to the logs of their tenants. */
export class BreakerClock {
  /** By tenant: heard, and not written yet. */
  readonly #waiting = new Map<string, AuditEntry[]>();
  #count = 0;
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: () => this.tick(),
    onFailed: (error) => this.parts.logger.warn({ err: error }, 'what breakers have done could not be asked for'),
  });

  constructor(private readonly parts: BreakerClockParts) {}

  /** Asks every five seconds. */
  start(): void {
    this.#rounds.start();
  }

  /** Ends after the turn in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** One turn: asks, and writes what was heard, this time or before. */
  async tick(): Promise<void> {
    for (const change of await this.parts.runtime.breakerChanges()) this.#keep(change);
    for (const [tenantId, entries] of this.#waiting) {
      await this.#write(tenantId, entries).catch((error: unknown) =>
        this.parts.logger.warn({ err: error, tenant_id: tenantId }, 'what a breaker has done waits for the log'),
      );
    }
  }

  #keep(change: BreakerChange): void {
    if (this.#count >= WAITING_MAX) return;
    this.#count += 1;
    this.#waiting.set(change.tenantId, [...(this.#waiting.get(change.tenantId) ?? []), entryOf(change)]);
  }

  /** A tenant that is gone has no log any more; one that is away between two databases gets its entries later. */
  async #write(tenantId: string, entries: readonly AuditEntry[]): Promise<void> {
    const { database } = this.parts;
    const written = await unlessAway(
      database.asTenant(tenantId, async (tx) => {
        const known: unknown[] = await tx.query(`select 1 from tenants where id = $1`, [tenantId]);
        if (known.length > 0) await appendAudit(tx, tenantId, entries);
        return true;
      }),
    );
    if (written !== true) return;
    this.#waiting.delete(tenantId);
    this.#count -= entries.length;
  }
}

function entryOf({ origin, release, state, atMs, lastError, retryAtMs = atMs }: BreakerChange): AuditEntry {
  const common = {
    id: newId(),
    at: new Date(atMs),
    actor: { kind: 'system', id: 'egress' },
    target: `upstream:${origin}`,
    outcome: 'ok',
  } as const;
  const of = { origin, ...(release === undefined ? {} : { release }) };
  if (state === 'closed') return { ...common, event: 'breaker.closed', details: of };
  const failing = lastError === undefined ? {} : { last_error: lastError };
  return {
    ...common,
    event: 'breaker.opened',
    details: { ...of, ...failing, retry_at: new Date(retryAtMs).toISOString() },
  };
}
