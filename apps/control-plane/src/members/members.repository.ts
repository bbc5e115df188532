import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import { isNobodysAddress } from '#libs/mail';
import type { PageQuery } from '../paging/cursor.js';

/** What somebody is at a tenant. */
export type Role = 'owner' | 'admin' | 'developer' | 'auditor' | 'user';

/** A member with the account behind it. */
export interface MemberRow {
  readonly account_id: string;
  readonly email: string;
  readonly role: Role;
  readonly groups: string[];
  readonly from_provider: boolean;
  readonly created_at: Date;
}

/** An owner. */
export interface OwnerRow {
  readonly account_id: string;
  readonly reachable: boolean;
}

const MEMBER = `select m.account_id, coalesce(a.email, a.asserted_email, '') as email, m.role, m.groups,
  a.home_tenant_id is not null as from_provider, m.created_at
  from members m join accounts a on a.id = m.account_id where m.tenant_id = $1`;

/** A tenant's members. */
@Injectable()
export class MembersRepository {
  async list(
    tx: Transaction,
    tenantId: string,
    page: PageQuery & { readonly role?: Role | undefined; readonly group?: string | undefined },
  ): Promise<MemberRow[]> {
    return tx.query(
      `${MEMBER} and ($2::uuid is null or m.account_id > $2) and ($3::text is null or m.role = $3)
         and ($4::text is null or $4 = any(m.groups)) order by m.account_id limit $5`,
      [tenantId, page.cursor ?? null, page.role ?? null, page.group ?? null, page.limit],
    );
  }

  async find(tx: Transaction, tenantId: string, accountId: string): Promise<MemberRow | undefined> {
    const rows: MemberRow[] = await tx.query(`${MEMBER} and m.account_id = $2`, [tenantId, accountId]);
    return rows[0];
  }

  /** As `find`; until the transaction ends neither this member nor who owns the tenant is changed by anybody else. */
  async lock(tx: Transaction, tenantId: string, accountId: string): Promise<MemberRow | undefined> {
    await tx.query(
      `select from members where tenant_id = $1 and (account_id = $2 or role = 'owner') order by account_id for update`,
      [tenantId, accountId],
    );
    return this.find(tx, tenantId, accountId);
  }

  /** Who owns the tenant, and whether anybody can reach them: by an address that is nobody's, nobody does. */
  async owners(tx: Transaction, tenantId: string): Promise<OwnerRow[]> {
    const rows: MemberRow[] = await tx.query(`${MEMBER} and m.role = 'owner' order by m.account_id`, [tenantId]);
    return rows.map(({ account_id: id, email }) => ({ account_id: id, reachable: !isNobodysAddress(email) }));
  }

  /** The member whose account has this address, kept from changing until the transaction ends. */
  async findByEmail(tx: Transaction, tenantId: string, email: string): Promise<MemberRow | undefined> {
    const rows: MemberRow[] = await tx.query(`${MEMBER} and a.email = $2 for update of m`, [tenantId, email]);
    return rows[0];
  }

  async insert(
    tx: Transaction,
    tenantId: string,
    { accountId, role, groups }: { readonly accountId: string; readonly role: Role; readonly groups: string[] },
  ): Promise<void> {
    await tx.query(`insert into members (tenant_id, account_id, role, groups) values ($1, $2, $3, $4)`, [
      tenantId,
      accountId,
      role,
      groups,
    ]);
  }

  async change(tx: Transaction, tenantId: string, { account_id: id, role, groups }: MemberRow): Promise<void> {
    await tx.query(`update members set role = $3, groups = $4 where tenant_id = $1 and account_id = $2`, [
      tenantId,
      id,
      role,
      groups,
    ]);
  }

  /** Withdraws the open invitations of a member to become one of these; how many. */
  async withdrawInvitations(
    tx: Transaction,
    tenantId: string,
    { accountId, to }: { readonly accountId: string; readonly to: readonly Role[] },
  ): Promise<number> {
    const [withdrawn]: [unknown[], number] = await tx.query(
      `update invitations set withdrawn_at = now() where tenant_id = $1 and invited_by = $2 and role = any($3)
         and withdrawn_at is null and accepted_at is null and expires_at > now() returning id`,
      [tenantId, accountId, to],
    );
    return withdrawn.length;
  }

  /** The clients with credentials that somebody registered, or whose secret or keys were given to them. */
  async clientsGivenTo(tx: Transaction, tenantId: string, accountId: string): Promise<string[]> {
    const rows: Array<{ id: string }> = await tx.query(
      `select id from clients where tenant_id = $1 and kind <> 'public'
         and (created_by = $2 or $2 = any(secret_given_to)) order by id`,
      [tenantId, accountId],
    );
    return rows.map(({ id }) => id);
  }

  /** Ends a membership and what agents hold by it; how many grants have ended. */
  async remove(tx: Transaction, tenantId: string, accountId: string): Promise<number> {
    const of = [tenantId, accountId];
    await tx.query(`delete from server_people where tenant_id = $1 and kind = 'member' and who = $2::text`, of);
    await tx.query(`delete from members where tenant_id = $1 and account_id = $2`, of);
    const [ended]: [unknown[], number] = await tx.query(
      `update grants set revoked_at = now()
       where tenant_id = $1 and account_id = $2 and revoked_at is null and expires_at > now() returning id`,
      of,
    );
    return ended.length;
  }
}
