import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { OperatorRole } from '../access/operator-roles.js';
import type { Holder } from '../access/permissions.js';

/** A key among its tenant's, with the state of both. */
export interface KeyRow {
  readonly id: string;
  readonly scopes: readonly string[];
  readonly usable: boolean;
  readonly slug: string;
  readonly status: 'active' | 'suspended';
  readonly status_reason: string | null;
  readonly deletion_due_at: Date | null;
  readonly home_region: string | null;
}

/** A tenant with one account's role in it. */
export interface MembershipRow {
  readonly slug: string;
  readonly status: 'active' | 'suspended';
  readonly status_reason: string | null;
  readonly deletion_due_at: Date | null;
  readonly home_region: string | null;
  readonly role: Exclude<Holder, 'api_key'> | null;
}

/** An operator's look at a tenant. */
export interface ImpersonationRow {
  readonly id: string;
  readonly operator_id: string;
  /** Of the operator's account when it was begun; null: begun with an emergency key. */
  readonly operator_standing: number | null;
  readonly slug: string;
}

/** A session or key of an operator's account, with the roles of both. */
export interface OperatorCredentialRow {
  readonly id: string;
  readonly kind: 'session' | 'key';
  readonly operator_id: string;
  readonly own_role: OperatorRole;
  readonly role: OperatorRole;
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
      `select k.id, k.scopes, t.slug, t.status, t.status_reason, t.deletion_due_at, t.home_region,
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
      `select t.slug, t.status, t.status_reason, t.deletion_due_at, t.home_region, m.role from tenants t
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

  /** The impersonation that a token opens now, as far as its tenant's rows say: whether its operator still may is to be asked. */
  async findImpersonation(tx: Transaction, tenantId: string, hash: string): Promise<ImpersonationRow | undefined> {
    const rows: ImpersonationRow[] = await tx.query(
      `select i.id, i.operator_id, i.operator_standing, t.slug from impersonations i join tenants t on t.id = i.tenant_id
       where i.tenant_id = $1 and i.token_hash = $2 and i.revoked_at is null and i.expires_at > now()`,
      [tenantId, hash],
    );
    return rows[0];
  }

  async countUse(tx: Transaction, tenantId: string, impersonation: string): Promise<void> {
    await tx.query(`update impersonations set uses = uses + 1, last_used_at = now() where tenant_id = $1 and id = $2`, [
      tenantId,
      impersonation,
    ]);
  }

  /** Whether whoever began an impersonation is still who they were then. Accounts are in the common database alone. */
  async standsAsThen(shared: Transaction, begun: ImpersonationRow): Promise<boolean> {
    const rows: unknown[] = await shared.query(
      `select from operators o left join operator_accounts a on a.operator_id = o.id
       where o.id = $1 and case when a.operator_id is null then $2::integer is null and o.key_shut_at is null
         else a.standing = $2 and a.disabled_at is null and a.enrolled_at is not null and a.role <> 'support' end`,
      [begun.operator_id, begun.operator_standing],
    );
    return rows.length > 0;
  }

  /** Whose emergency key this is; undefined for one that was shut. */
  async findOperator(tx: Transaction, hash: string): Promise<{ id: string; key_hash: string } | undefined> {
    const rows: Array<{ id: string; key_hash: string }> = await tx.query(
      `select id, key_hash from operators where key_hash = $1 and key_shut_at is null`,
      [hash],
    );
    return rows[0];
  }

  /** The session or key of an operator's account that opens something now; its use is noted once a minute. */
  async useOperatorCredential(tx: Transaction, hash: string): Promise<OperatorCredentialRow | undefined> {
    const rows: OperatorCredentialRow[] = await tx.query(
      `with noted as (
         update operator_credentials set last_used_at = now()
         where secret_hash = $1 and revoked_at is null and expires_at > now()
           and (last_used_at is null or last_used_at < now() - interval '1 minute'))
       select c.id, c.kind, c.operator_id, c.role as own_role, a.role
       from operator_credentials c join operator_accounts a using (operator_id)
       where c.secret_hash = $1 and c.revoked_at is null and c.expires_at > now()
         and a.disabled_at is null and a.enrolled_at is not null`,
      [hash],
    );
    return rows[0];
  }
}
