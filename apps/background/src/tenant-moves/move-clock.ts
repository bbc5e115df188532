import type { Database } from '#libs/database';
import { Rounds } from '#libs/resilience';
import type { Logger } from '#libs/telemetry';
import type { MoveTenant } from './move-tenant.js';
import { findOpenMoves, noteAttempt } from './moves.repository.js';
import { tellEnds } from './tell-ends.js';

const EVERY_MS = 5_000;
const MOVES_MAX = 100;
/** A tenant is not kept closed for longer than so many tries in a row take. */
const ATTEMPTS_MAX = 5;
const RUN_MS = 4 * 60 * 60 * 1_000;

/** Looks for tenants that are to be moved, and moves one after another. */
export class MoveClock {
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: () => this.sweep(),
    onFailed: (error) => this.logger.warn({ err: error }, 'tenants that are to be moved were not found'),
  });

  constructor(
    private readonly database: Database,
    private readonly moving: Pick<MoveTenant, 'advance' | 'giveUp'>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#rounds.start();
  }

  /** Ends at once: what is in hand is done again by whoever comes next. */
  async stop(): Promise<void> {
    await this.#rounds.stop(new Error('The service is stopping.'));
  }

  /** Moves who is to be moved, as far as it can be done now, and tells who was not; returns how many moves are over. */
  async sweep(): Promise<number> {
    const over = await this.#advanceAll();
    await tellEnds(this.database, MOVES_MAX, ({ id, tenant_id: tenantId }, error) =>
      this.logger.warn(
        { err: error, tenant_id: tenantId, move_id: id },
        'a tenant could not be told yet that it stays',
      ),
    );
    return over;
  }

  async #advanceAll(): Promise<number> {
    let over = 0;
    for (const { id, tenant_id: tenantId, attempts } of await this.database.asService((tx) =>
      findOpenMoves(tx, MOVES_MAX),
    )) {
      if (this.#rounds.signal.aborted) break;
      const signal = AbortSignal.any([this.#rounds.signal, AbortSignal.timeout(RUN_MS)]);
      try {
        const progress = await this.moving.advance(id, signal);
        if (progress === 'elsewhere') continue;
        over += 1;
        this.logger.info({ tenant_id: tenantId, move_id: id, progress }, 'a move of a tenant is over');
      } catch (error) {
        if (this.#rounds.signal.aborted) break;
        // One tenant's trouble is not another's; it is tried again.
        this.logger.error({ err: error, tenant_id: tenantId, move_id: id }, 'a tenant could not be moved yet');
        await this.#tryLater(id, attempts, error, signal);
      }
    }
    return over;
  }

  async #tryLater(id: string, attempts: number, error: unknown, signal: AbortSignal): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    try {
      if (attempts + 1 >= ATTEMPTS_MAX) await this.moving.giveUp(id, reason, signal);
      await this.database.asService((tx) => noteAttempt(tx, id, reason));
    } catch (another) {
      this.logger.warn({ err: another, move_id: id }, 'a move of a tenant could not be given up yet');
    }
  }
}
