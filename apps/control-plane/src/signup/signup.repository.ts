import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { TenantRow } from '../tenants/tenants.repository.js';

/** A person's account. */
export interface AccountRow {
  readonly id: string;
  readonly password_hash: string;
}

/** What signing up reads and writes. */
@Injectable()
export class SignupRepository {
  async findAccount(tx: Transaction, email: string): Promise<AccountRow | undefined> {
    const rows: AccountRow[] = await tx.query(`select id, password_hash from accounts where email = $1`, [email]);
    return rows[0];
  }

  async insertAccount(tx: Transaction, id: string, email: string, passwordHash: string): Promise<void> {
    await tx.query(`insert into accounts (id, email, password_hash) values ($1, $2, $3)`, [id, email, passwordHash]);
  }

  async insertTenant(tx: Transaction, tenant: Pick<TenantRow, 'id' | 'slug' | 'name'>): Promise<TenantRow> {
    const rows: [TenantRow] = await tx.query(
      `insert into tenants (id, slug, name) values ($1, $2, $3) returning id, slug, name, plan, status, created_at`,
      [tenant.id, tenant.slug, tenant.name],
    );
    return rows[0];
  }

  async insertOwner(tx: Transaction, tenantId: string, accountId: string): Promise<void> {
    await tx.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'owner')`, [tenantId, accountId]);
  }
}
