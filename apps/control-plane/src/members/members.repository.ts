import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A member with the account behind it. */
export interface MemberRow {
  readonly account_id: string;
  readonly email: string;
  readonly role: 'owner' | 'admin' | 'developer' | 'auditor' | 'user';
  readonly created_at: Date;
}

const MEMBERS_MAX = 1_000;

/** A tenant's members. */
@Injectable()
export class MembersRepository {
  async list(tx: Transaction, tenantId: string): Promise<MemberRow[]> {
    return tx.query(
      `select m.account_id, coalesce(a.email, a.asserted_email, '') as email, m.role, m.created_at from members m join accounts a on a.id = m.account_id
       where m.tenant_id = $1 order by m.created_at, m.account_id limit $2`,
      [tenantId, MEMBERS_MAX],
    );
  }
}
