import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { meter, type Logger } from '#libs/telemetry';

/** What the connections of an auth-server are called that reads rows sealed with what is presented. */
export const READS_BOUND = 'wharf_auth:reads-bound';
/** How long no older auth-server may have been seen, looking all the time, before such rows are written. */
const QUIET = '1 hour';
/** For how long not looking is still looking all the time: a restart. */
const GAP = '1 minute';
/** No multiple of the times at which an older one asks the database anything. */
const LOOK_MS = 7_000;
/** Once a day it is said who keeps the rows from being settled. */
const SAID_MS = 24 * 60 * 60 * 1_000;
const NAMES_MAX = 10;

/** What the seals are opened with. */
export interface RowSealsOptions {
  readonly database: Database;
  readonly masterKey: Secret;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

/**
 * How rows of what is presented are sealed. States (`oauth_sealing`), the same for all auth-servers of a database:
 *
 * - open: an auth-server of the release before may be there, or come back; rows are sealed so that it can read them.
 * - settled, when new ones have looked for an hour and none was connected, and from the start in a new installation: rows
 *   are sealed with what is presented, for good.
 *
 * Rows of both kinds are read in either state.
 */
export class RowSeals {
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #saidAt = 0;
  readonly #hideGauge = showSettled(() => this.settled);

  private constructor(
    private readonly options: RowSealsOptions,
    private settled: boolean,
  ) {}

  /** Opens the seals in the state that the database is in. */
  static async open(options: RowSealsOptions): Promise<RowSeals> {
    const seals = new RowSeals(options, false);
    await seals.look();
    if (!seals.settled) seals.#follow();
    return seals;
  }

  get masterKey(): Secret {
    return this.options.masterKey;
  }

  /** Whether rows are sealed with what is presented. */
  get binds(): boolean {
    return this.settled;
  }

  /** Notes whether an older auth-server is connected, and settles when none has been for long enough. */
  async look(): Promise<void> {
    if (this.settled) return;
    await this.options.database.asService((tx) =>
      tx.query(
        `with older as (
           select looked_at < now() - interval '${GAP}' or exists (
             select from pg_stat_activity where datname = current_database() and usename = current_user
               and application_name is distinct from $1) as possible from oauth_sealing)
         update oauth_sealing set looked_at = now(), older_seen_at = case when possible then now() else older_seen_at end,
           settled_at = case when not possible and older_seen_at < now() - interval '${QUIET}' then now() end
         from older where settled_at is null`,
        [READS_BOUND],
      ),
    );
    const rows: Array<{ settled: boolean }> = await this.options.database.asService((tx) =>
      tx.query(`select settled_at is not null as settled from oauth_sealing`),
    );
    this.settled = rows[0]?.settled === true;
    if (!this.settled) await this.#sayWhoIsThere();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#hideGauge();
    await this.#looking;
  }

  /** Whatever connects as this role under another name is taken for an older auth-server, whoever it is. */
  async #sayWhoIsThere(): Promise<void> {
    if (Date.now() - this.#saidAt < SAID_MS) return;
    const rows: Array<{ name: string }> = await this.options.database.asService((tx) =>
      tx.query(
        `select distinct application_name as name from pg_stat_activity where datname = current_database()
           and usename = current_user and application_name is distinct from $1 order by 1 limit ${NAMES_MAX}`,
        [READS_BOUND],
      ),
    );
    if (rows.length === 0) return;
    this.#saidAt = Date.now();
    const connections = rows.map(({ name }) => name);
    this.options.logger.warn(
      { connections },
      'codes and tokens are sealed as the release before reads them, while anybody else is connected as wharf_auth',
    );
  }

  #follow(): void {
    const { logger } = this.options;
    this.#timer = setInterval(() => {
      this.#looking = this.#looking
        .then(() => this.look())
        .then(() => this.#endWhenSettled())
        .catch((error: unknown) => logger.warn({ err: error }, 'older auth-servers could not be looked for'));
    }, LOOK_MS).unref();
  }

  #endWhenSettled(): void {
    if (!this.settled) return;
    clearInterval(this.#timer);
    this.options.logger.info('codes and tokens are now sealed with what is presented');
  }
}

/** Shows whether rows are sealed with what is presented. Returns its end. */
function showSettled(isSettled: () => boolean): () => void {
  const gauge = meter('auth-server').createObservableGauge('wharf_oauth_sealing_settled', {
    description: 'Whether codes and tokens are sealed with what is presented.',
  });
  const read: Parameters<typeof gauge.addCallback>[0] = (result) => result.observe(isSettled() ? 1 : 0);
  gauge.addCallback(read);
  return () => gauge.removeCallback(read);
}
