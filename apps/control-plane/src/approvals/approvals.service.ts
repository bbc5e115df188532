import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantVault } from '#libs/secrets';
import { actorOf, doneBy, type TenantCaller } from '../access/caller.js';
import { peopleBehind } from '../access/person-behind.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { TENANT_DATABASE, VAULT } from '../platform/tokens.js';
import { itIsTheirOwn, nobodyKnowsWhose, noLongerWaits } from './approvals.errors.js';
import { ApprovalsRepository, type ApprovalRow } from './approvals.repository.js';
import type { approveCall, getApproval, listApprovals } from './approvals.schema.js';

/** Where a decision is about: the approval, and why. */
type Deciding = Pick<InputOf<typeof approveCall>, 'params' | 'body'>;

/** Calls that wait for a person. */
@Injectable()
export class ApprovalsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ApprovalsRepository) private readonly approvals: ApprovalsRepository,
    @Inject(VAULT) private readonly vault: TenantVault,
  ) {}

  async list(
    { tenantId }: TenantCaller,
    { limit, ...query }: InputOf<typeof listApprovals>['query'],
  ): Promise<AnswerOf<typeof listApprovals>> {
    const rows = await this.database.asTenant(tenantId, (tx) =>
      this.approvals.list(tx, tenantId, { ...query, limit: limit + 1 }),
    );
    const page = pageOf(rows, limit);
    return { approvals: page.rows.map(view), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, id: string): Promise<AnswerOf<typeof getApproval>> {
    return this.database.asTenant(tenantId, async (tx) => {
      const row = await this.#get(tx, tenantId, id);
      return { ...view(row), arguments: await this.#argumentsOf(tx, tenantId, row) };
    });
  }

  /** @throws AppError `not_found`; `conflict` where it no longer waits; `forbidden` to whoever made the call */
  async decide(
    caller: TenantCaller,
    { params: { approval: id }, body: { reason } }: Deciding,
    state: 'approved' | 'refused',
  ): Promise<AnswerOf<typeof approveCall>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const before = await this.#get(tx, tenantId, id);
      if (before.state !== 'pending') throw noLongerWaits(before);
      if (state === 'approved') await this.#requireAnother(tx, caller, before);
      const row = await this.approvals.decide(tx, tenantId, id, { state, by: actorOf(caller), reason });
      if (row === undefined) throw noLongerWaits(await this.#get(tx, tenantId, id));
      const { rule, server, tool, requester, expires_at: expires } = row;
      const said = { rule, server, tool, requester, reason };
      const entry =
        state === 'refused'
          ? ({ event: 'approval.refused', details: said } as const)
          : ({ event: 'approval.approved', details: { ...said, expires_at: expires.toISOString() } } as const);
      await appendAudit(tx, tenantId, [doneBy(caller, { ...entry, target: `approval:${id}` })]);
      return view(row);
    });
  }

  async #get(tx: Transaction, tenantId: string, id: string): Promise<ApprovalRow> {
    const row = await this.approvals.find(tx, tenantId, id);
    if (row === undefined) throw new AppError('not_found');
    return row;
  }

  /** Refusing a call of one's own, or of one's own key, is always possible. */
  async #requireAnother(tx: Transaction, { tenantId, principal }: TenantCaller, row: ApprovalRow): Promise<void> {
    if (row.self_approval || principal.kind !== 'person') return; // the permission is persons' alone
    const { kind, id } = row.requester;
    const people = await peopleBehind(tx, tenantId, { kind: String(kind), id: String(id) });
    if (people === undefined) throw nobodyKnowsWhose(row);
    if (!people.includes(principal.subject)) return;
    throw itIsTheirOwn(row, await this.approvals.mayAnybodyElse(tx, tenantId, people));
  }

  async #argumentsOf(tx: Transaction, tenantId: string, row: ApprovalRow): Promise<unknown> {
    const sealed = { dataKeyId: row.data_key_id, ciphertext: row.sealed_arguments };
    const text = await this.vault.open(tx, tenantId, `approval:${row.id}`, sealed);
    return JSON.parse(text);
  }
}

function view(row: ApprovalRow): AnswerOf<typeof approveCall> {
  const { self_approval: _, data_key_id: __, sealed_arguments: ___, ...shown } = row;
  return {
    ...shown,
    requester: { ...row.requester },
    decided_by: row.decided_by && { ...row.decided_by },
    requested_at: row.requested_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    decided_at: row.decided_at?.toISOString() ?? null,
    used_at: row.used_at?.toISOString() ?? null,
  };
}
