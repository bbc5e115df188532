import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A tenant as operators see it. */
export interface OperatedTenantRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly plan: string;
  readonly status: 'active' | 'suspended';
  readonly status_reason: string | null;
  readonly deletion_due_at: Date | null;
  readonly home_region: string | null;
  readonly legal_hold: boolean;
  readonly created_at: Date;
}

/** Which tenants to list. */
export interface TenantFilter {
  readonly status?: 'active' | 'suspended' | undefined;
  readonly plan?: string | undefined;
  readonly q?: string | undefined;
  /** Found otherwise, and listed beside those that `q` is a part of. */
  readonly found?: readonly string[] | undefined;
  readonly cursor?: string | undefined;
  readonly limit: number;
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const OF_ADDRESS_MAX = 1_000;

const COLUMNS = `id, slug, name, plan, status, status_reason, deletion_due_at, home_region,
  exists (select from legal_holds h where h.tenant_id = tenants.id) as legal_hold, created_at`;

/** Tenants across the platform, as the role `wharf_operator` may read and change them. */
@Injectable()
export class PlatformTenantsRepository {
  async list(tx: Transaction, filter: TenantFilter): Promise<OperatedTenantRow[]> {
    const pattern = filter.q === undefined ? null : `%${filter.q.replaceAll(/[\\%_]/g, '\\$&')}%`;
    return tx.query(
      `select ${COLUMNS} from tenants
       where ($1::text is null or status = $1) and ($2::text is null or slug ilike $2 or name ilike $2 or id = any($6))
         and ($3::uuid is null or id < $3) and ($5::text is null or plan = $5)
       order by id desc limit $4`,
      [filter.status ?? null, pattern, filter.cursor ?? null, filter.limit, filter.plan ?? null, filter.found ?? []],
    );
  }

  async heldOf(tx: Transaction, ids: readonly string[]): Promise<string[]> {
    const rows: Array<{ tenant_id: string }> = await tx.query(
      `select tenant_id from legal_holds where tenant_id = any($1)`,
      [ids],
    );
    return rows.map(({ tenant_id: id }) => id);
  }

  /** The tenant of an id or else of a slug: nobody’s slug stands in for another’s id. */
  async findByName(tx: Transaction, slugOrId: string): Promise<OperatedTenantRow | undefined> {
    const name = slugOrId.toLowerCase();
    const rows: OperatedTenantRow[] = await tx.query(
      `select ${COLUMNS} from tenants where slug = $1 or id = $2::uuid order by id = $2::uuid desc nulls last limit 1`,
      [name, ID.test(name) ? name : null],
    );
    return rows[0];
  }

  /** Tenants that somebody with this address is a member of, in the transaction's database. */
  async tenantsOf(tx: Transaction, address: string): Promise<string[]> {
    const rows: Array<{ id: string }> = await tx.query(
      `select distinct m.tenant_id as id from accounts a join members m on m.account_id = a.id
       where a.email = $1 or lower(a.asserted_email) = $1 limit ${OF_ADDRESS_MAX}`,
      [address],
    );
    return rows.map(({ id }) => id);
  }

  /** The tenant, kept from changing until the transaction ends. */
  async lock(tx: Transaction, id: string): Promise<OperatedTenantRow | undefined> {
    const rows: OperatedTenantRow[] = await tx.query(`select ${COLUMNS} from tenants where id = $1 for update`, [id]);
    return rows[0];
  }

  /** Makes this the transaction's tenant, so that its audit log can be written to. */
  async enter(tx: Transaction, tenantId: string): Promise<void> {
    await tx.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
  }

  async setStatus(tx: Transaction, id: string, status: 'active' | 'suspended', reason: string | null): Promise<void> {
    await tx.query(`update tenants set status = $2, status_reason = $3 where id = $1`, [id, status, reason]);
  }

  async setPlan(tx: Transaction, id: string, plan: string): Promise<void> {
    await tx.query(`update tenants set plan = $2 where id = $1`, [id, plan]);
  }

  /** Which tier a plan is of, kept from going away until the transaction ends; undefined where there is no such plan. */
  async tierOf(tx: Transaction, plan: string): Promise<'shared' | 'dedicated' | undefined> {
    const rows: Array<{ tier: 'shared' | 'dedicated' }> = await tx.query(
      `select isolation_tier as tier from plans where name = $1 for share`,
      [plan],
    );
    return rows[0]?.tier;
  }

  /** Whether a transaction is one in a database of tenants' own. */
  async isDedicated(tx: Transaction): Promise<boolean> {
    const rows: unknown[] = await tx.query(`select from installation where database is not null`);
    return rows.length > 0;
  }
}
