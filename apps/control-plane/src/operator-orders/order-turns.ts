import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { Logger } from '#libs/telemetry';
import { LOGGER, OPERATOR_DATABASE } from '../platform/tokens.js';

/** Longer than what is done in a turn can take: each of its questions has a deadline of seconds. */
const TURN = '1 minute';
const WAIT_MS = 10_000;
const LOOK_EVERY_MS = 100;

/**
 * Has what is looked at first and done then, outside the database, done by one operator at a time, whichever process they reach.
 * A turn is a row and no lock: no transaction waits for the network.
 */
@Injectable()
export class OrderTurns {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws AppError `unavailable` where others have not given the turn back in ten seconds */
  async inTurn<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const holder = newId();
    await this.#wait(name, holder);
    try {
      return await work();
    } finally {
      await this.database
        .asService((tx) => tx.query(`delete from operator_turns where name = $1 and holder = $2`, [name, holder]))
        .catch((error: unknown) => this.logger.warn({ err: error, turn: name }, 'a turn ends by its time alone'));
    }
  }

  async #wait(name: string, holder: string): Promise<void> {
    const lateMs = Date.now() + WAIT_MS;
    while (!(await this.database.asService((tx) => take(tx, name, holder)))) {
      if (Date.now() >= lateMs) throw busy();
      await pause(LOOK_EVERY_MS);
    }
  }
}

async function take(tx: Transaction, name: string, holder: string): Promise<boolean> {
  const rows: unknown[] = await tx.query(
    `with taken as (
       insert into operator_turns (name, holder, until) values ($1, $2, now() + interval '${TURN}')
       on conflict (name) do update set holder = excluded.holder, until = excluded.until where operator_turns.until < now()
       returning holder)
     select from taken`,
    [name, holder],
  );
  return rows.length > 0;
}

function busy(): AppError {
  return new AppError('unavailable', {
    message: 'Another operator is doing the same at this moment. Look at what came of it, then try again.',
    retryAfterSeconds: 10,
  });
}
