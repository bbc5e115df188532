import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { Holder } from '../access/permissions.js';

/** A key among its tenant's, with the state of both. */
export interface KeyRow {
  readonly id: string;
  readonly scopes: readonly string[];
  readonly usable: boolean;
  readonly slug: string;
  readonly status: 'active' | 'suspended';
  readonly deletion_due_at: Date | null;
  readonly home_region: string | null;
}

/** A tenant with one account's role in it. */
export interface MembershipRow {
  readonly slug: string;
  readonly status: 'active' | 'suspended';
  readonly deletion_due_at: Date | null;
  readonly home_region: string | null;
  readonly role: Exclude<Holder, 'api_key'> | null;
}

/** What proving credentials reads. */
@Injectable()
export class CredentialsRepository {
  async tenantExists(tx: Transaction, tenantId: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(`select from tenants where id = $1`, [tenantId]);
    return rows.length > 0;
  }

  async findKey(tx: Transaction, tenantId: string, hash: string): Promise<KeyRow | undefined> {
    const rows: KeyRow[] = await tx.query(
      `select k.id, k.scopes, t.slug, t.status, t.deletion_due_at, t.home_region,
              k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) as usable
       from api_keys k join tenants t on t.id = k.tenant_id where k.tenant_id = $1 and k.key_hash = $2`,
      [tenantId, hash],
    );
    return rows[0];
  }

  /** Notes that a key was used; true at most once a minute for each key. */
  async noteUse(tx: Transaction, tenantId: string, keyId: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `with noted as (
         update api_keys set last_used_at = now()
         where tenant_id = $1 and id = $2 and (last_used_at is null or last_used_at < now() - interval '1 minute')
         returning id)
       select id from noted`,
      [tenantId, keyId],
    );
    return rows.length > 0;
  }

  /** The tenant and a person's role there; undefined where the grant that the person's token hangs on has ended. */
  async findMembership(
    tx: Transaction,
    tenantId: string,
    accountId: string,
    grantId: string | undefined,
  ): Promise<MembershipRow | undefined> {
    const rows: MembershipRow[] = await tx.query(
      `select t.slug, t.status, t.deletion_due_at, t.home_region, m.role from tenants t
       left join members m on m.tenant_id = t.id and m.account_id = $2
       where t.id = $1 and ($3::text is null or exists
         (select from grants g where g.tenant_id = t.id and g.id = $3 and g.revoked_at is null))`,
      [tenantId, accountId, grantId ?? null],
    );
    return rows[0];
  }

  /** Notes that a token of a grant was used, at most once a minute for each grant. */
  async noteGrantUse(tx: Transaction, tenantId: string, grantId: string): Promise<void> {
    await tx.query(
      `update grants set last_used_at = now()
       where tenant_id = $1 and id = $2 and last_used_at < now() - interval '1 minute'`,
      [tenantId, grantId],
    );
  }

  async findOperator(tx: Transaction, hash: string): Promise<{ id: string; key_hash: string } | undefined> {
    const rows: Array<{ id: string; key_hash: string }> = await tx.query(
      `select id, key_hash from operators where key_hash = $1`,
      [hash],
    );
    return rows[0];
  }
}
