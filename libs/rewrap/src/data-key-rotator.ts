import type { Database } from '#libs/database';
import { Rounds } from '#libs/resilience';
import { SHREDDED, type TenantVault } from '#libs/secrets';
import type { Logger } from '#libs/telemetry';
import { DATA_SEALED_COLUMNS, type DataSealedColumn } from './data-sealed-columns.js';
import { countDataKeyUses, resealBatch, type ResealBatch } from './reseal-batch.js';

const EVERY_MS = 15_000;
const BATCH = 200;
const TENANTS = 100;
/** What is sealed under keys that derive from a data key lives a day at most, and a gateway keeps those for ten minutes. */
const KEPT_HOURS = 25;

/**
 * Seals tenants' values under their newest data keys, tenant by tenant and batch by batch, each a transaction of its own, so
 * that nobody waits. There is no job to keep: a tenant with an older key is what is left to do, and whoever comes after a
 * crash goes on where it broke off. States of a data key: newest (seals) → older (opens what it sealed) → unused
 * (`unused_at`: no row names it) → deleted, when what lives outside the database has ended too.
 */
export class DataKeyRotator {
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: () => this.look(),
    onFailed: (error) => this.logger.warn({ err: error }, 'older data keys could not be looked for'),
  });

  constructor(
    private readonly database: Database,
    private readonly vault: TenantVault,
    private readonly logger: Logger,
    private readonly keptHours: number = KEPT_HOURS,
  ) {}

  start(): void {
    this.#rounds.start();
  }

  /** Ends after the batch in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Does what is due for every tenant with an older key; returns how many values were sealed anew. */
  async look(): Promise<number> {
    let sealed = 0;
    for (let after: string | undefined; !this.#rounds.signal.aborted;) {
      const tenants = await this.#tenantsBehind(after);
      for (const tenantId of tenants) if (!this.#rounds.signal.aborted) sealed += await this.#settle(tenantId);
      after = tenants.at(-1);
      if (tenants.length < TENANTS) break;
    }
    return sealed;
  }

  async #tenantsBehind(after: string | undefined): Promise<string[]> {
    const found = await this.database.everywhere((tx): Promise<Array<{ id: string }>> =>
      tx.query(
        `select tenant_id as id from data_keys where tenant_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
         group by tenant_id having count(*) > 1 and bool_and(wrapping_key_id <> $2)
           and count(*) filter (where unused_at is null or unused_at < now() - $3 * interval '1 hour') > 1
         order by tenant_id limit ${TENANTS}`,
        [after ?? null, SHREDDED, this.keptHours],
      ),
    );
    return found
      .flat()
      .map(({ id }) => id)
      .toSorted()
      .slice(0, TENANTS);
  }

  /** One tenant's; what fails here is named and keeps nobody else waiting. */
  async #settle(tenantId: string): Promise<number> {
    let sealed = 0;
    try {
      for (const column of DATA_SEALED_COLUMNS) sealed += await this.#reseal(tenantId, column);
      if (!this.#rounds.signal.aborted) await this.#retire(tenantId);
      if (sealed > 0) this.logger.info({ tenantId, sealed }, 'values were sealed under the newest data key');
    } catch (error) {
      this.logger.warn({ err: error, tenantId }, 'values could not be sealed under the newest data key');
    }
    return sealed;
  }

  async #reseal(tenantId: string, column: DataSealedColumn): Promise<number> {
    let sealed = 0;
    for (let after: readonly string[] | undefined; !this.#rounds.signal.aborted;) {
      const batch = await this.#batch(tenantId, column, after);
      sealed += batch.sealed;
      const [failure] = batch.failed;
      if (failure !== undefined) {
        const { key, error } = failure;
        const what = { err: error, tenantId, table: column.table, key, failed: batch.failed.length };
        this.logger.error(what, 'sealed values do not open, and stay as they are');
      }
      after = batch.last;
      if (after === undefined) break;
    }
    return sealed;
  }

  #batch(tenantId: string, column: DataSealedColumn, after: readonly string[] | undefined): Promise<ResealBatch> {
    return this.database.asTenant(tenantId, async (tx) => {
      const ring = await this.vault.openKeys(tx, tenantId);
      return resealBatch(tx, ring, column, { after, limit: BATCH });
    });
  }

  /** Notes which keys no row names any more, and deletes those of which this has been so for long enough. */
  async #retire(tenantId: string): Promise<void> {
    const deleted = await this.database.asTenant(tenantId, async (tx) => {
      const used = [...new Set((await countDataKeyUses(tx, tenantId)).map(({ dataKeyId }) => dataKeyId))];
      await tx.query(
        `update data_keys k set unused_at = case when k.id <> all ($2::uuid[]) then coalesce(k.unused_at, now()) end
         where tenant_id = $1 and exists (select 1 from data_keys n where n.tenant_id = $1
           and (n.created_at, n.id) > (k.created_at, k.id))`,
        [tenantId, used],
      );
      const gone: unknown[] = await tx.query(
        `with gone as (delete from data_keys where tenant_id = $1 and unused_at <= now() - $2 * interval '1 hour' returning id)
         select id from gone`,
        [tenantId, this.keptHours],
      );
      return gone.length;
    });
    if (deleted > 0) this.logger.info({ tenantId, deleted }, 'older data keys were deleted');
  }
}
