import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A row of `tenants`. */
export interface TenantRow {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly plan: string;
  readonly status: 'active' | 'suspended';
  readonly allowed_origins: string[];
  readonly created_at: Date;
}

/** The limits of a plan. */
export interface PlanLimits {
  readonly calls_per_minute: number;
  readonly concurrent_calls: number;
  readonly servers_max: number;
  readonly worker_memory_mb: number;
}

/** A tenant's own row and its plan's limits. */
@Injectable()
export class TenantsRepository {
  async find(tx: Transaction, tenantId: string): Promise<TenantRow | undefined> {
    const rows: TenantRow[] = await tx.query(
      `select id, slug, name, plan, status, allowed_origins, created_at from tenants where id = $1`,
      [tenantId],
    );
    return rows[0];
  }

  /** The row, kept from other changes until the transaction ends. */
  async lock(tx: Transaction, tenantId: string): Promise<TenantRow | undefined> {
    await tx.query(`select from tenants where id = $1 for no key update`, [tenantId]);
    return this.find(tx, tenantId);
  }

  async setAllowedOrigins(tx: Transaction, tenantId: string, origins: readonly string[]): Promise<void> {
    await tx.query(`update tenants set allowed_origins = $2 where id = $1`, [tenantId, origins]);
  }

  /** Which kind of database the transaction is in, and so the tenant's rows. */
  async tier(tx: Transaction): Promise<'common' | 'dedicated'> {
    const rows: Array<{ dedicated: boolean }> = await tx.query(
      `select database is not null as dedicated from installation`,
    );
    return rows[0]?.dedicated === true ? 'dedicated' : 'common';
  }

  async findLimits(tx: Transaction, tenantId: string): Promise<PlanLimits | undefined> {
    const rows: PlanLimits[] = await tx.query(
      `select p.calls_per_minute, p.concurrent_calls, p.servers_max, p.worker_memory_mb
       from plan_of($1) p`,
      [tenantId],
    );
    return rows[0];
  }
}
