import { Inject, Injectable } from '@nestjs/common';
import { tokenIssuerOf } from '#libs/config';
import type { Transaction } from '#libs/database';
import { queueLink } from '#libs/mail';
import { languageOf } from '#libs/pages';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG } from '../platform/tokens.js';
import type { TenantRow } from '../tenants/tenants.repository.js';

/** A person's account. */
export interface AccountRow {
  readonly id: string;
  readonly password_hash: string;
  readonly email_verified: boolean;
}

/** What signing up reads and writes. */
@Injectable()
export class SignupRepository {
  constructor(@Inject(CONFIG) private readonly config: ControlPlaneConfig) {}

  async findAccount(tx: Transaction, email: string): Promise<AccountRow | undefined> {
    const rows: AccountRow[] = await tx.query(
      `select id, password_hash, email_verified_at is not null as email_verified from accounts where email = $1`,
      [email],
    );
    return rows[0];
  }

  async insertAccount(tx: Transaction, id: string, email: string, passwordHash: string): Promise<void> {
    await tx.query(`insert into accounts (id, email, password_hash) values ($1, $2, $3)`, [id, email, passwordHash]);
  }

  /** Has the new account's address confirmed by a link that is mailed to it. */
  async queueVerification(tx: Transaction, account: { readonly id: string; readonly email: string }): Promise<void> {
    const { issuer } = tokenIssuerOf(this.config);
    const recipient = { account, issuer, language: languageOf(undefined) };
    await queueLink(tx, this.config.WHARF_MASTER_KEY, 'verify_email', recipient);
  }

  /** Where there are regions, a tenant is at home where it signed up. */
  async insertTenant(tx: Transaction, tenant: Pick<TenantRow, 'id' | 'slug' | 'name'>): Promise<TenantRow> {
    const rows: [TenantRow] = await tx.query(
      `insert into tenants (id, slug, name, home_region) values ($1, $2, $3, $4)
       returning id, slug, name, plan, status, allowed_origins, created_at`,
      [tenant.id, tenant.slug, tenant.name, this.config.WHARF_REGION ?? null],
    );
    return rows[0];
  }

  async insertOwner(tx: Transaction, tenantId: string, accountId: string): Promise<void> {
    await tx.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'owner')`, [tenantId, accountId]);
  }
}
