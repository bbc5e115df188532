import type { ClientBase } from 'pg';
import { DataSource, type EntityManager } from 'typeorm';
import type { Secret } from '#libs/config';
import { AppError } from '#libs/errors';
import { RoleUrls } from './role-urls.js';
import type { DatabaseRole } from './roles.js';
import { endWhenSilent } from './silence.js';
import { isUnavailable, isWrongPassword } from './sql-errors.js';

/** A server that is there ends a statement at its time limit; that much later nothing more is expected of it. */
const SILENCE_MS = 2_000;

/** What queries run on: one open transaction. */
export type Transaction = EntityManager;

/** Who an operator is and why they act; stored with every operator transaction. */
export interface OperatorAct {
  readonly operatorId: string;
  /** The operation's name, for example `tenants.suspend`. */
  readonly action: string;
  readonly reason: string;
  readonly tenantId?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** How to reach the database as one role. */
export interface DatabaseOptions {
  readonly databaseUrl: string;
  readonly role: DatabaseRole;
  readonly masterKey: Secret;
  /** What its connections are called in PostgreSQL's statistics; default: the role. */
  readonly applicationName?: string;
  /** Connections at most; default 10. */
  readonly poolSize?: number;
  /** A statement may run this long; default 15,000 ms. */
  readonly statementTimeoutMs?: number;
}

/**
 * The only way to tenants' rows. Every method runs `work` in one transaction: commit when it returns, roll back
 * when it throws. Never wait for the network inside `work`.
 * @throws AppError unavailable when the database cannot be used
 */
export class Database {
  #source: DataSource;
  #reconnecting: Promise<DataSource> | undefined;

  private constructor(
    source: DataSource,
    private readonly connectAgain: () => Promise<DataSource>,
  ) {
    this.#source = source;
  }

  /** Connects as one role; throws when the database cannot be reached. @throws ConfigError for another's master key */
  static async connect(options: DatabaseOptions): Promise<Database> {
    const urls = new RoleUrls(options);
    const connect = (): Promise<DataSource> => urls.connect((url) => openSource(url, options));
    return new Database(await connect(), connect);
  }

  /** Runs `work` seeing and changing one tenant's rows only, each of its statements for `statementTimeoutMs` at most. */
  async asTenant<Result>(
    tenantId: string,
    work: (tx: Transaction) => Promise<Result>,
    { statementTimeoutMs }: { readonly statementTimeoutMs?: number | undefined } = {},
  ): Promise<Result> {
    return this.#transaction(async (tx) => {
      if (statementTimeoutMs === undefined) await tx.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
      else
        await tx.query(`select set_config('app.tenant_id', $1, true), set_config('statement_timeout', $2, true)`, [
          tenantId,
          String(statementTimeoutMs),
        ]);
      return work(tx);
    });
  }

  /** Runs `work` without a tenant: shared tables by grant, no tenant's rows except where a policy names this role. */
  async asService<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.#transaction(work);
  }

  /**
   * Runs `work` as an operator and writes the act to the platform's audit in the same transaction.
   * Only a Database connected as `wharf_operator` has the grants.
   */
  async asOperator<Result>(act: OperatorAct, work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.#transaction(async (tx) => {
      await tx.query(
        `insert into operator_actions (operator_id, action, reason, tenant_id, details) values ($1, $2, $3, $4, $5)`,
        [act.operatorId, act.action, act.reason, act.tenantId ?? null, JSON.stringify(act.details ?? {})],
      );
      return work(tx);
    });
  }

  /** Version of the server as PostgreSQL counts it, for example 180004. */
  async serverVersion(): Promise<number> {
    const rows: Array<{ version: string }> = await this.#source.query(
      `select current_setting('server_version_num') as version`,
    );
    return Number(rows[0]?.version ?? 0);
  }

  async #transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const source = this.#source;
    try {
      return await source.transaction(work);
    } catch (error) {
      // A password is refused before anything was done: the roles have those of another master key of ours by now.
      if (isWrongPassword(error) && (await this.#hasAnother(source))) return this.#transaction(work);
      if (!isUnavailable(error)) throw error;
      throw new AppError('unavailable', {
        message: 'The database does not answer at the moment. Try again shortly.',
        retryAfterSeconds: 5,
        cause: error,
      });
    }
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

async function openSource(url: string, options: DatabaseOptions): Promise<DataSource> {
  const statementTimeoutMs = options.statementTimeoutMs ?? 15_000;
  const source = new DataSource({
    type: 'postgres',
    url,
    applicationName: options.applicationName ?? options.role,
    poolSize: options.poolSize ?? 10,
    connectTimeoutMS: 5_000,
    extra: {
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
