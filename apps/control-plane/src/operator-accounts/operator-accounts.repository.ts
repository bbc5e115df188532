import { Injectable } from '@nestjs/common';
import type { OperatorRole } from '../access/operator-roles.js';
import type { Transaction } from '#libs/database';

/** An operator's account. */
export interface OperatorRow {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly role: OperatorRole;
  readonly status: 'invited' | 'active' | 'disabled';
  readonly created_at: Date;
  readonly last_signed_in_at: Date | null;
}

/** An invitation as it is kept. */
export interface KeptInvitation {
  readonly hash: string;
  readonly expiresAt: Date;
}

const SELECT = `select a.operator_id as id, o.name, a.email, a.role, a.created_at, a.last_signed_in_at,
    case when a.disabled_at is not null then 'disabled' when a.enrolled_at is null then 'invited' else 'active' end as status
  from operator_accounts a join operators o on o.id = a.operator_id`;

/** Operators' accounts. */
@Injectable()
export class OperatorAccountsRepository {
  list(tx: Transaction, page: { limit: number; cursor?: string | undefined }): Promise<OperatorRow[]> {
    return tx.query(`${SELECT} where $1::uuid is null or a.operator_id < $1 order by a.operator_id desc limit $2`, [
      page.cursor ?? null,
      page.limit,
    ]);
  }

  async find(tx: Transaction, id: string): Promise<OperatorRow | undefined> {
    const rows: OperatorRow[] = await tx.query(`${SELECT} where a.operator_id = $1`, [id]);
    return rows[0];
  }

  async insert(
    tx: Transaction,
    row: { id: string; name: string; email: string; role: OperatorRole; invitedBy: string },
    invitation: KeptInvitation,
  ): Promise<void> {
    await tx.query(`insert into operators (id, name) values ($1, $2)`, [row.id, row.name]);
    await tx.query(
      `insert into operator_accounts (operator_id, email, role, invited_by, invitation_hash, invitation_expires_at)
       values ($1, $2, $3, $4, $5, $6)`,
      [row.id, row.email, row.role, row.invitedBy, invitation.hash, invitation.expiresAt],
    );
  }

  /** Changes what is given and leaves the rest. */
  async change(
    tx: Transaction,
    id: string,
    to: { role?: OperatorRole | undefined; disabled?: boolean | undefined },
  ): Promise<void> {
    await tx.query(
      `update operator_accounts set role = coalesce($2, role),
         disabled_at = case when $3::boolean is null then disabled_at when $3 then coalesce(disabled_at, now()) end
       where operator_id = $1`,
      [id, to.role ?? null, to.disabled ?? null],
    );
  }

  /** Forgets how the operator proved who they are, and waits for the invitation to be taken. */
  async reinvite(tx: Transaction, id: string, { hash, expiresAt }: KeptInvitation): Promise<void> {
    await tx.query(
      `update operator_accounts set invitation_hash = $2, invitation_expires_at = $3, password_hash = null,
         totp_sealed = null, totp_last_step = 0, enrolled_at = null, failed_attempts = 0, locked_until = null
       where operator_id = $1`,
      [id, hash, expiresAt],
    );
    await tx.query(`delete from operator_networks where operator_id = $1`, [id]);
    await this.endCredentials(tx, id);
  }

  /** Ends every session and key of an operator. */
  async endCredentials(tx: Transaction, id: string): Promise<void> {
    await tx.query(`update operator_credentials set revoked_at = now() where operator_id = $1 and revoked_at is null`, [
      id,
    ]);
  }
}
