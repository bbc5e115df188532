import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { CallLimitsRepository, type CallLimitRow } from './call-limits.repository.js';
import {
  CALL_LIMITS_MAX,
  type deleteCallLimit,
  type getCallLimit,
  type listCallLimits,
  type putCallLimit,
} from './call-limits.schema.js';

/** How often a tenant lets its tools be called. */
@Injectable()
export class CallLimitsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(CallLimitsRepository) private readonly limits: CallLimitsRepository,
  ) {}

  async list(
    { tenantId }: TenantCaller,
    query: InputOf<typeof listCallLimits>['query'],
  ): Promise<AnswerOf<typeof listCallLimits>> {
    const rows = await this.database.asTenant(tenantId, (tx) => this.limits.list(tx, tenantId));
    const page = pageByKey(rows, ({ name }) => name, 'ascending', query);
    return { call_limits: page.rows.map(view), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, name: string): Promise<AnswerOf<typeof getCallLimit>> {
    const rows = await this.database.asTenant(tenantId, (tx) => this.limits.list(tx, tenantId));
    return view(named(rows, name));
  }

  /** @throws AppError `unprocessable` for a server that there is not; `conflict` where there are enough limits */
  async put(
    caller: TenantCaller,
    { params: { name }, body, precondition }: InputOf<typeof putCallLimit>,
  ): Promise<AnswerOf<typeof putCallLimit>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const rows = await this.limits.lock(tx, tenantId);
      const before = rows.find((row) => row.name === name);
      precondition.require(before && view(before));
      if (before === undefined && rows.length >= CALL_LIMITS_MAX) {
        throw new AppError('conflict', {
          message: `A tenant has at most ${CALL_LIMITS_MAX} limits on calls. Delete one first.`,
        });
      }
      if (body.server !== null && !(await this.limits.hasServer(tx, tenantId, body.server))) {
        throw new AppError('unprocessable', {
          problems: [{ pointer: '/server', message: 'There is no server of this slug. Create it first.' }],
        });
      }
      const row = await this.limits.put(tx, tenantId, name, body);
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'call_limit.changed', target: `call_limit:${name}`, details: body }),
      ]);
      return view(row);
    });
  }

  /** @throws AppError `not_found` */
  async remove(
    caller: TenantCaller,
    { params: { name }, precondition }: InputOf<typeof deleteCallLimit>,
  ): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      precondition.require(view(named(await this.limits.lock(tx, tenantId), name)));
      await this.limits.remove(tx, tenantId, name);
      await appendAudit(tx, tenantId, [doneBy(caller, { event: 'call_limit.deleted', target: `call_limit:${name}` })]);
    });
  }
}

function named(rows: readonly CallLimitRow[], name: string): CallLimitRow {
  const row = rows.find((candidate) => candidate.name === name);
  if (row === undefined) throw new AppError('not_found');
  return row;
}

function view({ per, tools, clients, updated_at: updated, ...row }: CallLimitRow): AnswerOf<typeof getCallLimit> {
  return { ...row, per: [...per], tools: [...tools], clients: [...clients], updated_at: updated.toISOString() };
}
