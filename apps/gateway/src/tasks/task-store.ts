import { createHash } from 'node:crypto';
import { newId, unlessAway, type Database } from '#libs/database';
import { routeKey, type Mount, type RouteBinding } from '#libs/protocol';
import type { ToolAccess } from '#libs/identity';
import type { TenantVault } from '#libs/secrets';

/** The tool whose call became a task. */
export interface TaskTool {
  readonly serverSlug: string;
  readonly name: string;
  readonly access: ToolAccess;
}

/** A task of a principal of a tenant, where it runs, and what came of it. */
export interface KeptTask {
  readonly tenantId: string;
  readonly id: string;
  readonly principal: string;
  readonly taskId: string;
  readonly tenantSlug: string;
  readonly route: RouteBinding;
  /** The tool that began it: slug of its server, its own name, and whether it writes. */
  readonly tool: TaskTool;
  readonly createdAt: Date;
  readonly pollMs: number;
  /** JSON of its last state, once it has ended. */
  readonly answer: string | undefined;
}

/** A task that has begun. */
export type NewTask = Pick<KeptTask, 'tenantId' | 'principal' | 'taskId' | 'tenantSlug' | 'tool' | 'pollMs'> & {
  readonly mounts: readonly Mount[];
  readonly view: string | undefined;
  readonly ttlMs: number;
};

interface Row {
  readonly tenant_id: string;
  readonly id: string;
  readonly principal: string;
  readonly task_id: string;
  readonly tenant_slug: string;
  readonly server: string;
  readonly tool: string;
  readonly access: ToolAccess;
  readonly mounts: Mount[];
  readonly view: string | null;
  readonly created_at: Date;
  readonly poll_ms: number;
  readonly data_key_id: string | null;
  readonly answer: Buffer | null;
}

/** How many tasks are kept at once. */
const OF_TENANT_MAX = 2_000;
const OF_PRINCIPAL_MAX = 200;
/** How long another gateway leaves a task alone that one looks at. */
const LOOKING_SECONDS = 30;
const COLUMNS =
  'tenant_id, id, principal, task_id, tenant_slug, server, tool, access, mounts, view, created_at, poll_ms';
/** Tasks of one tenant that are looked at in one go: no tenant's silence keeps others waiting. */
const OF_TENANT_AT_ONCE = 4;
/** Looked through for those. */
const DUE_MAX = 4_000;

/** Tasks in PostgreSQL: each is its tenant's and its principal's, bounded in number and time. */
export class TaskStore {
  constructor(
    private readonly database: Database,
    private readonly vault: TenantVault,
  ) {}

  /** Keeps a task that has begun; false when too many are kept. */
  add({ tenantId, principal, taskId, tenantSlug, tool, mounts, view, pollMs, ttlMs }: NewTask): Promise<boolean> {
    return this.database.asTenant(tenantId, async (tx) => {
      // Those that begin at once are counted one after the other.
      await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`tasks:${tenantId}`]);
      const added: unknown[] = await tx.query(
        `insert into tasks (tenant_id, id, principal, task_id, tenant_slug, mounts, view, poll_ms, name_hash, server, tool, access,
           expires_at, look_at)
         select $1, $4, $2, $3, $5, $6, $11, $7::integer, $12, $13, $14, $15, now() + make_interval(secs => $8::float8 / 1000),
                now() + make_interval(secs => $7::float8 / 1000)
         from (select count(*) as all_tasks, count(*) filter (where principal = $2) as own
               from tasks where tenant_id = $1 and expires_at > now()) counted
         where all_tasks < $9 and own < $10
         on conflict (tenant_id, name_hash, server) do update set id = excluded.id, tenant_slug = excluded.tenant_slug,
           tool = excluded.tool, access = excluded.access,
           mounts = excluded.mounts, view = excluded.view, poll_ms = excluded.poll_ms, created_at = now(), expires_at = excluded.expires_at,
           look_at = excluded.look_at, data_key_id = null, answer = null
         returning id`,
        [
          tenantId,
          principal,
          taskId,
          newId(),
          tenantSlug,
          JSON.stringify(mounts),
          pollMs,
          ttlMs,
          OF_TENANT_MAX,
          OF_PRINCIPAL_MAX,
          view ?? null,
          hashOf(principal, taskId),
          tool.serverSlug,
          tool.name,
          tool.access,
        ],
      );
      return added.length > 0;
    });
  }

  /** A task of a principal at one of these servers, as long as it is kept. */
  find(
    { tenantId, principal, taskId }: Pick<KeptTask, 'tenantId' | 'principal' | 'taskId'>,
    servers: readonly string[],
  ): Promise<KeptTask | undefined> {
    return this.database.asTenant(tenantId, async (tx) => {
      const [row]: Row[] = await tx.query(
        `select ${COLUMNS}, data_key_id, answer from tasks
         where tenant_id = $1 and name_hash = $2 and server = any($3) and expires_at > now()
         order by created_at desc limit 1`,
        [tenantId, hashOf(principal, taskId), servers],
      );
      if (row === undefined) return undefined;
      const { data_key_id: dataKeyId, answer: ciphertext } = row;
      if (dataKeyId === null || ciphertext === null) return taskOf(row, undefined);
      return taskOf(row, await this.vault.open(tx, tenantId, purposeOf(row), { dataKeyId, ciphertext }));
    });
  }

  /** Keeps what came of a task until its time is over; what was kept first stays. */
  async finish({ tenantId, id }: Pick<KeptTask, 'tenantId' | 'id'>, answer: string): Promise<void> {
    await this.database.asTenant(tenantId, async (tx) => {
      const sealed = await this.vault.seal(tx, tenantId, purposeOf({ id }), answer);
      await tx.query(
        `update tasks set look_at = null, data_key_id = $3, answer = $4
         where tenant_id = $1 and id = $2 and answer is null`,
        [tenantId, id, sealed.dataKeyId, sealed.ciphertext],
      );
    });
  }

  /** Takes running tasks, of every tenant but these, that nobody has looked at for as long as each wants; few of each. */
  async takeDue(most: number, busyTenants: readonly string[]): Promise<KeptTask[]> {
    const due = await this.#named(
      `select tenant_id, id from (
         select tenant_id, id, look_at, row_number() over (partition by tenant_id order by look_at) as nth
         from (select tenant_id, id, look_at from tasks
               where look_at < now() and expires_at > now() and tenant_id <> all($2)
               order by look_at limit ${DUE_MAX}) due
       ) ranked where nth <= ${OF_TENANT_AT_ONCE} order by nth, look_at limit $1`,
      [most, busyTenants],
    );
    const taken = [...due].map(([tenantId, ids]) => this.#take(tenantId, ids));
    return (await Promise.all(taken.map((each) => unlessAway(each)))).flatMap((tasks) => tasks ?? []);
  }

  /** Those of a tenant's tasks that no other gateway has taken meanwhile. */
  #take(tenantId: string, ids: readonly string[]): Promise<KeptTask[]> {
    return this.database.asTenant(tenantId, async (tx) => {
      const [rows]: [Row[], number] = await tx.query(
        `update tasks set look_at = now() + make_interval(secs => $3)
         where tenant_id = $1 and id in (select id from tasks where tenant_id = $1 and id = any($2) and look_at < now()
           for update skip locked)
         returning ${COLUMNS}`,
        [tenantId, ids, LOOKING_SECONDS],
      );
      return rows.map((row) => taskOf(row, undefined));
    });
  }

  /** Ids by tenant: all that is ever asked about tasks in nobody's transaction. */
  async #named(sql: string, values: readonly unknown[]): Promise<Map<string, string[]>> {
    const found = await this.database.everywhere((tx): Promise<Array<Pick<Row, 'tenant_id' | 'id'>>> =>
      tx.query(sql, [...values]),
    );
    const ids = new Map<string, string[]>();
    // The first of each database, then the second of each, as many as were asked for of one.
    const ranked = found.flatMap((rows) => rows.map((row, place) => ({ row, place })));
    const [most] = values;
    const first = ranked.toSorted((left, right) => left.place - right.place).slice(0, Number(most));
    for (const {
      row: { tenant_id: tenantId, id },
    } of first)
      ids.set(tenantId, [...(ids.get(tenantId) ?? []), id]);
    return ids;
  }

  /** Has a task that still runs looked at again after a time. */
  async lookAgain({ tenantId, id }: KeptTask, afterMs: number): Promise<void> {
    await this.database.asTenant(tenantId, (tx) =>
      tx.query(
        `update tasks set look_at = now() + make_interval(secs => $3::float8 / 1000)
         where tenant_id = $1 and id = $2 and look_at is not null`,
        [tenantId, id, afterMs],
      ),
    );
  }

  /** Deletes tasks whose time is over, as many at most; returns how many. */
  async deleteExpired(limit: number): Promise<number> {
    const expired = await this.#named(`select tenant_id, id from tasks where expires_at < now() limit $1`, [limit]);
    let deleted = 0;
    for (const [tenantId, ids] of expired) {
      const deleting = this.database.asTenant(tenantId, async (tx) => {
        const [rows]: [unknown[], number] = await tx.query(
          `delete from tasks where tenant_id = $1 and id = any($2) and expires_at < now() returning 1`,
          [tenantId, ids],
        );
        return rows.length;
      });
      deleted += (await unlessAway(deleting)) ?? 0;
    }
    return deleted;
  }
}

function taskOf(row: Row, answer: string | undefined): KeptTask {
  const { tenant_id: tenantId, id, principal, task_id: taskId, mounts } = row;
  const view = row.view ?? undefined;
  const route = { tenantId, mounts, key: routeKey(tenantId, mounts, view), ...(view === undefined ? {} : { view }) };
  const { tenant_slug: tenantSlug, created_at: createdAt, poll_ms: pollMs } = row;
  const tool = { serverSlug: row.server, name: row.tool, access: row.access };
  return { tenantId, id, principal, taskId, tenantSlug, route, tool, createdAt, pollMs, answer };
}

function purposeOf({ id }: { readonly id: string }): string {
  return `task ${id}`;
}

/** Of bounded length, whatever a server calls its tasks. */
function hashOf(principal: string, taskId: string): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([principal, taskId]))
    .digest();
}
