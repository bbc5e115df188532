import type { Secret } from '#libs/config';
import type { Database, Transaction } from '#libs/database';
import { Rounds } from '#libs/resilience';
import { masterKeyId } from '#libs/secrets';
import type { Logger } from '#libs/telemetry';
import { countRootKeyUses, rewrapBatch, type RootKeyUse } from './rewrap-batch.js';
import { SEALED_TABLES, type RewrappingService, type SealedTable } from './sealed-tables.js';

const EVERY_MS = 15_000;
const BATCH = 200;
/** Of so many rows that do not open each is named in the log; more are counted. */
const NAMED_MAX = 20;

interface Asked {
  /** The master key that everything is to be sealed under. */
  readonly id: string;
}

/**
 * Seals everything under the first master key when an operator has asked for it: batch by batch, each a transaction of its
 * own, so that nobody waits and whoever comes after a crash goes on where it broke off. Each service does so with what
 * it alone reads; the background service says when all is done. States of a request
 * (`master_keys.rewrap_asked_at`, `rewrapped_at`): asked → done, when nothing is sealed under another key. A key that
 * nothing is sealed under has left (`left_at`), and may be taken out of the configuration.
 */
export class MasterKeyRewrapper {
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: () => this.look(),
    onFailed: (error) => this.logger.warn({ err: error }, 'rows could not be sealed under the new master key'),
  });

  constructor(
    private readonly database: Database,
    private readonly masterKey: Secret,
    private readonly service: RewrappingService,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.#rounds.start();
  }

  /** Ends after the batch in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Does what an operator has asked for; returns how many rows were sealed anew. */
  async look(): Promise<number> {
    const asked = await this.#asked();
    if (asked === undefined) return 0;
    const current = masterKeyId(this.masterKey);
    if (asked.id !== current) {
      this.logger.warn({ asked: asked.id, current }, 'rows are to be sealed under a master key that is not our first');
      return 0;
    }
    let sealed = 0;
    for (const home of await this.database.homes(0))
      for (const table of SEALED_TABLES) if (table.service === this.service) sealed += await this.#rewrap(home, table);
    if (sealed > 0) this.logger.info({ sealed }, 'rows were sealed under the first master key');
    if (!this.#rounds.signal.aborted && this.service === 'background') await this.#settle(current);
    return sealed;
  }

  /** The newest request that is not done. */
  async #asked(): Promise<Asked | undefined> {
    const rows: Asked[] = await this.database.asService((tx) =>
      tx.query(
        `select id from master_keys where rewrap_asked_at is not null and rewrapped_at is null
         order by rewrap_asked_at desc limit 1`,
      ),
    );
    return rows[0];
  }

  async #rewrap(home: string | undefined, table: SealedTable): Promise<number> {
    let sealed = 0;
    let failed = 0;
    for (let after: readonly string[] | undefined; !this.#rounds.signal.aborted;) {
      const from = after;
      const batch = await this.database.asServiceAt(home, (tx) =>
        rewrapBatch(tx, this.masterKey, table, { after: from, limit: BATCH }),
      );
      sealed += batch.sealed;
      for (const { key, error } of batch.failed) {
        failed += 1;
        if (failed <= NAMED_MAX)
          this.logger.error({ err: error, table: table.name, key }, 'a sealed row does not open');
      }
      after = batch.last;
      if (after === undefined) break;
    }
    if (failed > 0) this.logger.error({ table: table.name, failed }, 'sealed rows do not open, and stay as they are');
    return sealed;
  }

  /** Writes down which keys nothing is sealed under any more, in no database, and whether that is all. @throws TenantAway */
  async #settle(current: string): Promise<void> {
    // Rows on their way between two databases are counted in neither, and arrive as they were: they are waited for.
    const before = await this.database.asService(movesSoFar);
    if (before === undefined) return;
    const homes = await this.database.homes(0);
    const ask = (home: string | undefined): Promise<RootKeyUse[]> =>
      this.database.asServiceAt(home, (tx) => countRootKeyUses(tx));
    const uses = (await Promise.all(homes.map(ask))).flat();
    if ((await this.database.asService(movesSoFar)) !== before) return;
    const used = [...new Set([current, ...uses.map(({ rootKeyId }) => rootKeyId)])];
    for (const home of homes) await this.database.asServiceAt(home, (tx) => noteLeft(tx, used));
    const left = uses.filter(({ rootKeyId }) => rootKeyId !== current);
    // The request stands in the common database: it is done where nothing is left anywhere.
    if (left.length === 0)
      await this.database.asService((tx) =>
        tx.query(`update master_keys set rewrapped_at = now() where id = $1`, [current]),
      );
    if (left.length > 0) this.logger.info({ left }, 'rows are still sealed under other master keys');
  }
}

async function noteLeft(tx: Transaction, used: readonly string[]): Promise<void> {
  await tx.query(`update master_keys set left_at = now() where left_at is null and id <> all ($1::text[])`, [used]);
}

/** How many moves of tenants are over; undefined while one is not. */
async function movesSoFar(tx: Transaction): Promise<number | undefined> {
  const [found]: Array<{ moving: boolean; over: number }> = await tx.query(
    `select exists (select from tenant_homes where state <> 'dedicated')
         or exists (select from tenant_moves where state not in ('waiting', 'done', 'failed')) as moving,
       (select count(*)::int from tenant_moves where state in ('done', 'failed')) as over`,
  );
  return found === undefined || found.moving ? undefined : found.over;
}
