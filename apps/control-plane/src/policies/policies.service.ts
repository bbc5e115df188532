import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { requireRule } from './check-rule.js';
import { PoliciesRepository, type PolicyRow } from './policies.repository.js';
import {
  POLICIES_MAX,
  type deletePolicy,
  type getPolicy,
  type listPolicies,
  type putPolicy,
} from './policies.schema.js';

/** A tenant's rules on calls. */
@Injectable()
export class PoliciesService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(PoliciesRepository) private readonly policies: PoliciesRepository,
  ) {}

  async list(
    { tenantId }: TenantCaller,
    query: InputOf<typeof listPolicies>['query'],
  ): Promise<AnswerOf<typeof listPolicies>> {
    const rows = await this.database.asTenant(tenantId, (tx) => this.policies.list(tx, tenantId));
    const page = pageByKey(rows, ({ name }) => name, 'ascending', query);
    return { policies: page.rows.map(view), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, name: string): Promise<AnswerOf<typeof getPolicy>> {
    const rows = await this.database.asTenant(tenantId, (tx) => this.policies.list(tx, tenantId));
    return view(named(rows, name));
  }

  /** @throws AppError `unprocessable` for a rule that cannot be asked; `conflict` where there are enough */
  async put(
    caller: TenantCaller,
    { params: { name }, body, precondition }: InputOf<typeof putPolicy>,
  ): Promise<AnswerOf<typeof putPolicy>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const rows = await this.policies.lock(tx, tenantId);
      const before = rows.find((row) => row.name === name);
      precondition.require(before && view(before));
      if (before === undefined && rows.length >= POLICIES_MAX) {
        throw new AppError('conflict', { message: `A tenant has at most ${POLICIES_MAX} policies. Delete one first.` });
      }
      requireRule(body, await this.policies.unknownServers(tx, tenantId, body.servers));
      const row = await this.policies.put(tx, tenantId, name, body);
      const event = before === undefined ? 'policy.created' : 'policy.updated';
      await appendAudit(tx, tenantId, [doneBy(caller, { event, target: `policy:${name}`, details: body })]);
      return view(row);
    });
  }

  /** @throws AppError `not_found` */
  async remove(caller: TenantCaller, { params: { name }, precondition }: InputOf<typeof deletePolicy>): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      precondition.require(view(named(await this.policies.lock(tx, tenantId), name)));
      await this.policies.remove(tx, tenantId, name);
      await appendAudit(tx, tenantId, [doneBy(caller, { event: 'policy.deleted', target: `policy:${name}` })]);
    });
  }
}

function named(rows: readonly PolicyRow[], name: string): PolicyRow {
  const row = rows.find((candidate) => candidate.name === name);
  if (row === undefined) throw new AppError('not_found');
  return row;
}

function view({ servers, updated_at: updated, ...row }: PolicyRow): AnswerOf<typeof getPolicy> {
  return { ...row, servers: [...servers], updated_at: updated.toISOString() };
}
