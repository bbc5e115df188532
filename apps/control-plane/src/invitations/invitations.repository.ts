import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import { SENDER_MAY_INVITE } from '../members/member-rules.js';
import type { Role } from '../members/members.repository.js';
import type { PageQuery } from '../paging/cursor.js';

/** How an invitation is doing. */
export type InvitationState = 'open' | 'accepted' | 'withdrawn' | 'expired';

/** An invitation without its token. */
export interface InvitationRow {
  readonly id: string;
  readonly email: string;
  readonly role: Role;
  readonly groups: string[];
  readonly state: InvitationState;
  readonly invited_by: string;
  readonly created_at: Date;
  readonly expires_at: Date;
}

/** An invitation to store. */
export interface NewInvitation {
  readonly id: string;
  readonly email: string;
  readonly role: Role;
  readonly groups: readonly string[];
  readonly tokenHash: string;
  readonly invitedBy: string;
  readonly hours: number;
}

/** An open invitation as its link finds it. */
export interface FoundInvitation extends InvitationRow {
  readonly slug: string;
  readonly status: 'active' | 'suspended';
}

const STATE = `case when i.accepted_at is not null then 'accepted' when i.withdrawn_at is not null then 'withdrawn'
  when i.expires_at <= now() then 'expired' when ${SENDER_MAY_INVITE} then 'open' else 'withdrawn' end`;
const COLUMNS = `i.id, i.email, i.role, i.groups, ${STATE} as state, i.invited_by, i.created_at, i.expires_at`;

/** A tenant's invitations. */
@Injectable()
export class InvitationsRepository {
  async list(
    tx: Transaction,
    tenantId: string,
    { state, cursor, limit }: PageQuery & { readonly state?: InvitationState | undefined },
  ): Promise<InvitationRow[]> {
    return tx.query(
      `select ${COLUMNS} from invitations i where i.tenant_id = $1 and ($2::uuid is null or i.id < $2)
         and ($3::text is null or ${STATE} = $3) order by i.id desc limit $4`,
      [tenantId, cursor ?? null, state ?? null, limit],
    );
  }

  /** How many are open; concurrent invitations of one tenant wait for each other. */
  async countOpen(tx: Transaction, tenantId: string): Promise<number> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`invitations:${tenantId}`]);
    const rows: [{ count: number }] = await tx.query(
      `select count(*)::int as count from invitations i where i.tenant_id = $1 and ${STATE} = 'open'`,
      [tenantId],
    );
    return rows[0].count;
  }

  async isMember(tx: Transaction, tenantId: string, email: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `select from members m join accounts a on a.id = m.account_id where m.tenant_id = $1 and a.email = $2`,
      [tenantId, email],
    );
    return rows.length > 0;
  }

  /** Stores an invitation in the place of one to the same address that was not accepted. */
  async insert(tx: Transaction, tenantId: string, invitation: NewInvitation): Promise<InvitationRow> {
    const { id, email, role, groups, tokenHash, invitedBy, hours } = invitation;
    await tx.query(`delete from invitations where tenant_id = $1 and expires_at < now() - interval '90 days'`, [
      tenantId,
    ]);
    await tx.query(
      `update invitations set withdrawn_at = now()
       where tenant_id = $1 and email = $2 and withdrawn_at is null and accepted_at is null`,
      [tenantId, email],
    );
    const rows: [InvitationRow] = await tx.query(
      `insert into invitations as i (tenant_id, id, email, role, groups, token_hash, invited_by, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, now() + make_interval(hours => $8)) returning ${COLUMNS}`,
      [tenantId, id, email, role, groups, tokenHash, invitedBy, hours],
    );
    return rows[0];
  }

  /** The invitation, kept from being accepted until the transaction ends. */
  async lock(tx: Transaction, tenantId: string, id: string): Promise<InvitationRow | undefined> {
    const rows: InvitationRow[] = await tx.query(
      `select ${COLUMNS} from invitations i where i.tenant_id = $1 and i.id = $2 for update`,
      [tenantId, id],
    );
    return rows[0];
  }

  async withdraw(tx: Transaction, tenantId: string, id: string): Promise<void> {
    await tx.query(`update invitations set withdrawn_at = now() where tenant_id = $1 and id = $2`, [tenantId, id]);
  }

  /** The invitation of a token, in whatever state. */
  async findByToken(tx: Transaction, tenantId: string, tokenHash: string): Promise<FoundInvitation | undefined> {
    const rows: FoundInvitation[] = await tx.query(
      `select ${COLUMNS}, t.slug, t.status from invitations i join tenants t on t.id = i.tenant_id
       where i.tenant_id = $1 and i.token_hash = $2`,
      [tenantId, tokenHash],
    );
    return rows[0];
  }

  /** Uses an open invitation up; false where somebody was quicker, or it is open no more. */
  async accept(tx: Transaction, tenantId: string, id: string, accountId: string): Promise<boolean> {
    const [rows]: [unknown[], number] = await tx.query(
      `update invitations i set accepted_at = now(), accepted_by = $3
       where i.tenant_id = $1 and i.id = $2 and ${STATE} = 'open' returning i.id`,
      [tenantId, id, accountId],
    );
    return rows.length > 0;
  }

  async findAccount(tx: Transaction, email: string): Promise<{ id: string; password_hash: string } | undefined> {
    const rows: Array<{ id: string; password_hash: string }> = await tx.query(
      `select id, password_hash from accounts where email = $1`,
      [email],
    );
    return rows[0];
  }

  /** An account whose address the token of an invitation has proved. */
  async insertAccount(tx: Transaction, id: string, email: string, passwordHash: string): Promise<void> {
    await tx.query(`insert into accounts (id, email, password_hash, email_verified_at) values ($1, $2, $3, now())`, [
      id,
      email,
      passwordHash,
    ]);
  }

  /** The copy of an account that a tenant's own database has: in place of a hash it has a word that no password fits. */
  async copyAccount(tx: Transaction, id: string, email: string): Promise<void> {
    await tx.query(
      `insert into accounts (id, email, password_hash, email_verified_at)
       select $1, $2, 'copied', now() where not exists (select from accounts where id = $1)`,
      [id, email],
    );
  }
}
