import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import type { Secret } from '#libs/config';
import { AppError } from '#libs/errors';
import type { Transaction } from './transaction.js';
import { RoleUrls } from './role-urls.js';
import type { DatabaseRole } from '../roles.js';
import { endWhenSilent } from './silence.js';
import { isUnavailable, isWrongPassword } from './sql-errors.js';

/** A server that is there ends a statement at its time limit; that much later nothing more is expected of it. */
const SILENCE_MS = 2_000;

/** Connections of a pool at most, where nothing else is said. */
export const POOL_SIZE = 10;

/**
 * An idle connection is kept so long, in ms. A new one costs both sides ten milliseconds of processor time for its password (SCRAM's
 * 4,096 rounds), and where services share a process, calls wait meanwhile: what is asked now and then finds one open.
 */
const IDLE_MS = 120_000;
/** An idle connection is heard from so often, in ms, so that nothing on the way takes it for gone, and one that is gone is found so. */
const KEEP_ALIVE_MS = 10_000;

/** How to reach one database as one role. */
export interface PoolOptions {
  readonly databaseUrl: string;
  readonly role: DatabaseRole;
  readonly masterKey: Secret;
  /** What its connections are called in PostgreSQL's statistics; default: the role. */
  readonly applicationName?: string;
  /** Connections at most; default `POOL_SIZE`. */
  readonly poolSize?: number;
  /** A statement may run this long; default 15,000 ms. */
  readonly statementTimeoutMs?: number;
}

/** What statements see: what is committed when each begins, or all of them what was when the first began. */
export type Moment = 'each statement' | 'the first statement';

/** The connections to one database as one role. */
export class Pool {
  #source: DataSource;
  #reconnecting: Promise<DataSource> | undefined;

  private constructor(
    source: DataSource,
    private readonly connectAgain: () => Promise<DataSource>,
  ) {
    this.#source = source;
  }

  /** Throws when the database cannot be reached. @throws ConfigError for another's master key */
  static async open(options: PoolOptions): Promise<Pool> {
    const urls = new RoleUrls(options);
    const connect = (): Promise<DataSource> => urls.connect((url) => openSource(url, options));
    return new Pool(await connect(), connect);
  }

  /** Runs `work` in a transaction. @throws AppError unavailable when the database cannot be used */
  async transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    moment: Moment = 'each statement',
  ): Promise<Result> {
    const source = this.#source;
    try {
      if (moment === 'each statement') return await source.transaction(work);
      return await source.transaction('REPEATABLE READ', work);
    } catch (error) {
      // A password is refused before anything was done: the roles have those of another master key of ours by now.
      if (isWrongPassword(error) && (await this.#hasAnother(source))) return this.transaction(work, moment);
      throw unavailableOf(error);
    }
  }

  /** Version of the server as PostgreSQL counts it, for example 180004. */
  async serverVersion(): Promise<number> {
    const rows: Array<{ version: string }> = await this.#source.query(
      `select current_setting('server_version_num') as version`,
    );
    return Number(rows[0]?.version ?? 0);
  }

  async close(): Promise<void> {
    await this.#reconnecting?.catch(() => undefined);
    await this.#source.destroy();
  }

  /** Whether there is another source by now than the one that was refused; its open transactions go on to their end. */
  async #hasAnother(refused: DataSource): Promise<boolean> {
    if (this.#source !== refused) return true;
    this.#reconnecting ??= this.connectAgain().finally(() => (this.#reconnecting = undefined));
    const source = await this.#reconnecting.catch(() => undefined);
    if (source === undefined) return false;
    if (this.#source === refused) {
      this.#source = source;
      refused.destroy().catch(() => undefined);
    }
    return true;
  }
}

/** The error for a caller: that a database cannot be used, or what it was. */
export function unavailableOf(error: unknown): unknown {
  if (!isUnavailable(error)) return error;
  return new AppError('unavailable', {
    message: 'What keeps this does not answer at the moment. Try again shortly.',
    retryAfterSeconds: 5,
    cause: error,
  });
}

async function openSource(url: string, options: PoolOptions): Promise<DataSource> {
  const statementTimeoutMs = options.statementTimeoutMs ?? 15_000;
  const source = new DataSource({
    type: 'postgres',
    url,
    applicationName: options.applicationName ?? options.role,
    poolSize: options.poolSize ?? POOL_SIZE,
    connectTimeoutMS: 5_000,
    extra: {
      idleTimeoutMillis: IDLE_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
      onConnect: (connection: ClientBase) => {
        outliveItsEnd(connection);
        endWhenSilent(connection, statementTimeoutMs + SILENCE_MS);
      },
    },
  });
  await source.initialize();
  return source;
}

/**
 * TypeORM hears a connection's errors only while a query runner holds it: one that the server ends in between, as
 * when it crashes while a pool opens, would end this process. The query that meets the dead connection fails anyway.
 */
function outliveItsEnd(connection: ClientBase): void {
  connection.on('error', () => undefined);
}
