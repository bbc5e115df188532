import { Injectable } from '@nestjs/common';
import type { AuditActor } from '#libs/audit';
import type { Transaction } from '#libs/database';
import { NOBODYS_DOMAIN } from '#libs/mail';
import { rolesWith } from '../access/permissions.js';

/** A call that waits for a person, or waited. */
export interface ApprovalRow {
  readonly id: string;
  readonly state: 'pending' | 'approved' | 'refused' | 'used' | 'expired';
  readonly rule: string;
  readonly requester: Readonly<Record<string, unknown>>;
  readonly server: string;
  readonly tool: string;
  readonly self_approval: boolean;
  readonly requested_at: Date;
  readonly expires_at: Date;
  readonly decided_at: Date | null;
  readonly decided_by: Readonly<Record<string, unknown>> | null;
  readonly reason: string | null;
  readonly used_at: Date | null;
  readonly data_key_id: string;
  readonly sealed_arguments: Buffer;
}

/** What somebody decided. */
export interface Decision {
  readonly state: 'approved' | 'refused';
  readonly by: AuditActor;
  readonly reason: string | null;
}

// What is over and was not swept yet is over.
const COLUMNS = `id, case when state in ('pending', 'approved') and expires_at <= now() then 'expired' else state end as state,
  rule, requester, server, tool, self_approval, requested_at, expires_at, decided_at, decided_by, reason, used_at,
  data_key_id, sealed_arguments`;

/** A tenant's calls that wait for a person, and those that waited. */
@Injectable()
export class ApprovalsRepository {
  list(
    tx: Transaction,
    tenantId: string,
    page: { readonly limit: number; readonly cursor?: string | undefined; readonly state?: string | undefined },
  ): Promise<ApprovalRow[]> {
    return tx.query(
      `select * from (select ${COLUMNS} from approvals where tenant_id = $1 and ($2::uuid is null or id < $2)) shown
       where $4::text is null or state = $4 order by id desc limit $3`,
      [tenantId, page.cursor ?? null, page.limit, page.state ?? null],
    );
  }

  async find(tx: Transaction, tenantId: string, id: string): Promise<ApprovalRow | undefined> {
    const rows: ApprovalRow[] = await tx.query(`select ${COLUMNS} from approvals where tenant_id = $1 and id = $2`, [
      tenantId,
      id,
    ]);
    return rows[0];
  }

  /** Whether anybody may decide beside these people, whom mails reach. */
  async mayAnybodyElse(tx: Transaction, tenantId: string, people: readonly string[]): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `select from members m join accounts a on a.id = m.account_id
       where m.tenant_id = $1 and m.role = any($2) and m.account_id <> all($3::uuid[])
         and not coalesce(a.email like '%@' || $4, false) limit 1`,
      [tenantId, rolesWith('approvals.decide'), [...people], NOBODYS_DOMAIN],
    );
    return rows.length > 0;
  }

  /** Decides what still waits; undefined where somebody else was first, or time. */
  async decide(tx: Transaction, tenantId: string, id: string, decision: Decision): Promise<ApprovalRow | undefined> {
    const { state, by, reason } = decision;
    const [rows]: [ApprovalRow[], number] = await tx.query(
      `update approvals set state = $3, decided_at = now(), decided_by = $4, reason = $5,
         expires_at = now() + make_interval(secs => valid_seconds)
       where tenant_id = $1 and id = $2 and state = 'pending' and expires_at > now() returning ${COLUMNS}`,
      [tenantId, id, state, JSON.stringify(by), reason],
    );
    return rows[0];
  }
}
