import type { KeyObject } from 'node:crypto';
import type { Database, Transaction } from '#libs/database';
import type { RuntimeClient } from '#libs/protocol';
import { shredTenant } from '#libs/secrets';
import { listTenantTables, type TenantTable } from '#libs/tenant-archive';
import type { RedisStore } from '#libs/redis';
import {
  beginDeletion,
  count,
  deleteSome,
  endDeletion,
  isRevoking,
  keepLastCheckpoint,
  lockDeletion,
  moveTo,
  releaseObjects,
  type Deletion,
} from './deletions.repository.js';
import { PeopleElsewhere, type ForgetPeople } from './people-elsewhere.js';
import { endTokens, findHomePeople } from './people.repository.js';
import { signReceipt } from './receipt.js';
import { forgetInRedis } from './redis-keys.js';

const BATCH = 2_000;
/** Of rows that name people: each of those may go, and is tried by itself. */
const PEOPLE_BATCH = 200;
/** What an upstream cannot be told within it ends there by itself. */
const REVOKING_MS = 60 * 60 * 1_000;
const SLUG_DAYS = 90;
const STATEMENT_MS = 120_000;
/** It is what is left of the tenant. */
const KEPT = 'tenant_deletions';
/** Objects are forgotten by those who delete them from the object store, and the tenant's own row goes last of all. */
const LAST = new Set(['unused_objects', 'tenants', 'legal_holds']);

/** What deleting works with. */
export interface DeletingParts {
  /** As `wharf_life_cycle`. */
  readonly database: Database;
  readonly runtime: Pick<RuntimeClient, 'evict'>;
  readonly redis: RedisStore;
  /** Numbers what has arrived of a tenant's log and signs all of it; false where that cannot be now. */
  readonly signLog: (tenantId: string) => Promise<boolean>;
  /** Signs receipts. */
  readonly key: KeyObject;
  /** Names the installation in receipts. */
  readonly installation: string;
}

/** What became of a tenant that was looked at: it is gone, there is more to do at once, or later. */
export type Progress = 'gone' | 'more' | 'later';

/** Brings one tenant's deletion a step or a batch further; whoever is stopped in between goes on where it was. */
export class DeleteTenant {
  constructor(private readonly parts: DeletingParts) {}

  /** @throws whatever keeps a step from being done; it is tried again */
  async advance(tenantId: string): Promise<Progress> {
    const deletion = await this.#with(tenantId, async (tx, found) => {
      if (found.state === 'waiting') await beginDeletion(tx, found);
      return found;
    });
    if (deletion === undefined) return 'later';
    if (deletion.state === 'waiting') return 'more';
    switch (deletion.step) {
      case 'connections':
        return this.#endConnections(deletion);
      case 'keys':
        return this.#shred(deletion);
      case 'rows':
        return this.#empty(deletion);
    }
  }

  async #endConnections(deletion: Deletion): Promise<Progress> {
    const isLate = Date.now() - (deletion.started_at?.getTime() ?? 0) > REVOKING_MS;
    const moved = await this.#with(deletion.tenant_id, async (tx, found) => {
      if (!isLate && (await isRevoking(tx, found.tenant_id))) return 'later' as const;
      await moveTo(tx, found, 'keys');
      return 'more' as const;
    });
    return moved ?? 'later';
  }

  async #shred({ tenant_id: tenantId }: Deletion): Promise<Progress> {
    await this.parts.runtime.evict(tenantId, 'suspended');
    const keysInRedis = await forgetInRedis(this.parts.redis, tenantId);
    if (!(await this.parts.signLog(tenantId))) return 'later';
    const moved = await this.#with(tenantId, async (tx, found) => {
      if (!(await keepLastCheckpoint(tx, found))) return 'later' as const;
      for (const keys of ['data_keys', 'person_keys'])
        await count(tx, found, `${keys}_destroyed`, await rowsIn(tx, tenantId, keys));
      await shredTenant(tx, tenantId);
      await count(tx, found, 'redis_keys', keysInRedis);
      await releaseObjects(tx, tenantId);
      await moveTo(tx, found, 'rows');
      return 'more' as const;
    });
    return moved ?? 'later';
  }

  /** Empties table after table, those first that refer to others; then the rest and the tenant itself. */
  async #empty(deletion: Deletion): Promise<Progress> {
    const { tenant_id: tenantId } = deletion;
    const tables = (await this.#tables()).reverse();
    for (const table of tables) {
      if (table.name === KEPT || LAST.has(table.name)) continue;
      for (let more = true; more;) {
        const deleted = await this.#withPeople(tenantId, (tx, found, forget) =>
          this.#deleteSome(tx, found, table, forget),
        );
        if (deleted === undefined) return 'later';
        more = deleted >= batchOf(table);
      }
    }
    return this.#finish(tenantId, tables);
  }

  /** Deletes some rows, and with the last one that names a person, whom no other tenant knows, their account. */
  async #deleteSome(tx: Transaction, found: Deletion, table: TenantTable, forget: ForgetPeople): Promise<number> {
    const limit = batchOf(table);
    if (table.name === 'grants')
      await countSome(tx, found, 'oauth_artifacts', await endTokens(tx, found.tenant_id, limit));
    const { deleted, people } = await deleteSome(tx, found.tenant_id, table, limit);
    await countSome(tx, found, table.name, deleted);
    await countSome(tx, found, 'accounts', await forget(tx, people));
    return deleted;
  }

  /** What has arrived meanwhile goes with the tenant's own row. Objects that are not deleted yet are waited for. */
  async #finish(tenantId: string, tables: readonly TenantTable[]): Promise<Progress> {
    const { key, installation } = this.parts;
    const gone = await this.#withPeople(tenantId, async (tx, found, forget) => {
      const [objects]: [{ left: number }] = await tx.query(
        `select count(*)::int as left from unused_objects where tenant_id = $1`,
        [tenantId],
      );
      if (objects.left > 0) return 'later' as const;
      const people = await findHomePeople(tx, tenantId, PEOPLE_BATCH);
      await count(tx, found, 'accounts', await forget(tx, people));
      if (people.length === PEOPLE_BATCH) return 'more' as const;
      for (const table of tables) if (table.name !== KEPT) await this.#deleteSome(tx, found, table, forget);
      const endedAt = new Date();
      const counted = (await lockDeletion(tx, tenantId)) ?? found;
      const receipt = await signReceipt(counted, { key, installation, endedAt });
      await endDeletion(tx, counted, { receipt, endedAt, slugDays: SLUG_DAYS });
      return 'gone' as const;
    });
    return gone ?? 'later';
  }

  #tables(): Promise<TenantTable[]> {
    return this.parts.database.asService((tx) =>
      listTenantTables((sql, values) => tx.query(sql, values === undefined ? undefined : [...values])),
    );
  }

  /** As `#with`, for what forgets people: other databases are asked for them between two tries, never within one. */
  #withPeople<Result>(
    tenantId: string,
    work: (tx: Transaction, deletion: Deletion, forget: ForgetPeople) => Promise<Result>,
  ): Promise<Result | undefined> {
    return new PeopleElsewhere(this.parts.database).during((forget) =>
      this.#with(tenantId, (tx, found) => work(tx, found, forget)),
    );
  }

  /** Runs `work` on the tenant's deletion while nobody else does; undefined where somebody does, or a hold has come. */
  #with<Result>(
    tenantId: string,
    work: (tx: Transaction, deletion: Deletion) => Promise<Result>,
  ): Promise<Result | undefined> {
    return this.parts.database.asTenant(
      tenantId,
      async (tx) => {
        const deletion = await lockDeletion(tx, tenantId);
        return deletion === undefined ? undefined : work(tx, deletion);
      },
      { statementTimeoutMs: STATEMENT_MS },
    );
  }
}

function batchOf({ people }: TenantTable): number {
  return people.length > 0 ? PEOPLE_BATCH : BATCH;
}

async function countSome(tx: Transaction, found: Deletion, what: string, more: number): Promise<void> {
  if (more > 0) await count(tx, found, what, more);
}

async function rowsIn(tx: Transaction, tenantId: string, table: string): Promise<number> {
  const [row]: [{ rows: number }] = await tx.query(`select count(*)::int as rows from ${table} where tenant_id = $1`, [
    tenantId,
  ]);
  return row.rows;
}
