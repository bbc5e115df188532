import { unlessAway, type Database } from '#libs/database';
import type { RuntimeClient, Supplier } from '#libs/protocol';
import { Rounds } from '#libs/resilience';
import type { Logger } from '#libs/telemetry';
import { beginQueued, findQueued } from './begin-queued.js';
import { findDue, hint, requestLook } from './due-looks.js';

const EVERY_MS = 5_000;
/** Bounds of one turn: servers to look at, candidates to begin, and hints to follow. */
const SERVERS_MAX = 50;
const QUEUED_MAX = 50;
const HINTS_MAX = 500;

/** What the clock works with. */
export interface ClockParts {
  readonly database: Database;
  readonly runtime: Pick<RuntimeClient, 'driftHints'>;
  readonly supplier: Supplier;
  readonly logger: Logger;
  /** How often each server is looked at. */
  readonly everySeconds: number;
  /** Whose tenants are looked at, beside those that are at home nowhere. */
  readonly region?: string | undefined;
}

/**
 * Says when servers' upstreams are looked at: every so often, spread, and sooner where a worker has met something that was
 * not approved or was told `list_changed`. When a server is due stands in its row, so that a restart loses no look and two
 * clocks make none twice. It also begins the rollouts of candidates that may go out by themselves.
 */
export class DriftClock {
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: () => this.tick(),
    onFailed: (error) =>
      this.parts.logger.warn({ err: error }, 'looks at upstreams could not be asked for; trying again'),
  });

  constructor(private readonly parts: ClockParts) {}

  /** Looks every five seconds. */
  start(): void {
    this.#rounds.start();
  }

  /** Ends after the turn in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** One turn: follows hints, asks for looks that are due, begins queued rollouts. */
  async tick(): Promise<void> {
    const { database, everySeconds, region } = this.parts;
    for (const hinted of await this.#hints())
      await unlessAway(database.asTenant(hinted.tenantId, (tx) => hint(tx, hinted, everySeconds)));
    const due = (await database.everywhere((tx) => findDue(tx, SERVERS_MAX, region))).flat();
    for (const server of due) {
      if (this.#rounds.signal.aborted) return;
      await unlessAway(database.asTenant(server.tenantId, (tx) => requestLook(tx, server, everySeconds)));
    }
    await this.#beginQueued();
  }

  async #hints(): Promise<ReadonlyArray<{ readonly tenantId: string; readonly digest: string }>> {
    const hints = await this.parts.runtime.driftHints();
    return hints.slice(0, HINTS_MAX);
  }

  async #beginQueued(): Promise<void> {
    const { database, logger, region } = this.parts;
    const queued = (await database.everywhere((tx) => findQueued(tx, QUEUED_MAX, region))).flat();
    for (const candidate of queued) {
      if (this.#rounds.signal.aborted) return;
      await beginQueued(this.parts, candidate).catch((error: unknown) =>
        logger.warn({ err: error, tenant_id: candidate.tenantId }, 'a candidate could not be begun; trying again'),
      );
    }
  }
}
