import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { newId, type Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { hashImpersonation, mintImpersonation } from '../credentials/impersonation-token.js';
import { actOf, lookOf } from '../operators/act.js';
import { pageOf } from '../paging/cursor.js';
import { PlatformTenantsRepository } from '../platform-tenants/platform-tenants.repository.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { ImpersonationsRepository, type ImpersonationRow } from './impersonations.repository.js';
import type { beginImpersonation, endImpersonation, listImpersonations } from './impersonations.schema.js';

/** Operators' looks at tenants: begun with a reason, told to the tenant, ended by time or by hand. */
@Injectable()
export class ImpersonationsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(PlatformTenantsRepository) private readonly tenantRows: PlatformTenantsRepository,
    @Inject(ImpersonationsRepository) private readonly impersonations: ImpersonationsRepository,
  ) {}

  /** @throws AppError `not_found` */
  async list(
    caller: OperatorCaller,
    { params, query }: InputOf<typeof listImpersonations>,
  ): Promise<AnswerOf<typeof listImpersonations>> {
    const { id: tenantId } = await this.tenants.get(params.tenant);
    const look = lookOf(caller, 'impersonations.list', tenantId);
    const rows = await this.database.asOperator(look, async (tx) => {
      await this.tenants.noteLook(tx, caller, look);
      return this.impersonations.list(tx, tenantId, { ...query, limit: query.limit + 1 });
    });
    const page = pageOf(rows, query.limit);
    const standings = await this.#standings(page.rows.map((row) => row.operator_id));
    const impersonations = page.rows.map((row) => view({ ...row, state: stateNow(row, standings) }));
    return { impersonations, next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async begin(
    caller: OperatorCaller,
    slug: string,
    { reason, minutes }: InputOf<typeof beginImpersonation>['body'],
  ): Promise<AnswerOf<typeof beginImpersonation>> {
    const { id: tenantId } = await this.tenants.get(slug);
    // Read before: who is demoted from here on has begun nothing that opens.
    const standing = (await this.#standings([caller.operatorId])).get(caller.operatorId);
    const operator = await this.database.asService((tx) => this.impersonations.findOperator(tx, caller.operatorId));
    if (standing === undefined || operator === undefined) throw new AppError('forbidden');
    const id = newId();
    const token = mintImpersonation(tenantId);
    const told = { impersonation: id, minutes };
    const act = actOf(caller, { action: 'impersonations.begin', reason, tenantId, details: told });
    const row = await this.database.asOperator(act, async (tx) => {
      await this.impersonations.putOperator(tx, operator);
      await this.tenantRows.enter(tx, tenantId);
      const details = { minutes, reason };
      const entry = { event: 'impersonation.started', target: `impersonation:${id}`, details } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
      return this.impersonations.insert(tx, tenantId, {
        id,
        operatorId: operator.id,
        standing,
        reason,
        minutes,
        tokenHash: hashImpersonation(token),
      });
    });
    if (row === undefined) throw new AppError('not_found');
    return { impersonation: view(row), token };
  }

  /** @throws AppError `not_found` */
  async end(
    caller: OperatorCaller,
    { params, query }: Pick<InputOf<typeof endImpersonation>, 'params' | 'query'>,
  ): Promise<void> {
    const { id: tenantId } = await this.tenants.get(params.tenant);
    const { id } = params;
    const { reason } = query;
    const act = actOf(caller, { action: 'impersonations.end', reason, tenantId, details: { impersonation: id } });
    await this.database.asOperator(act, async (tx) => {
      await this.tenantRows.enter(tx, tenantId);
      if (!(await this.impersonations.end(tx, tenantId, id))) throw new AppError('not_found');
      const entry = { event: 'impersonation.ended', target: `impersonation:${id}`, details: { reason } } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
    });
  }

  async #standings(operators: readonly string[]): Promise<ReadonlyMap<string, number | null>> {
    return this.database.asService((tx) => this.impersonations.standings(tx, operators));
  }
}

/** One that its operator may use no more has ended, whatever the tenant's own rows say. */
function stateNow(row: ImpersonationRow, standings: ReadonlyMap<string, number | null>): ImpersonationRow['state'] {
  return standings.get(row.operator_id) === row.operator_standing ? row.state : 'ended';
}

function view({
  operator_id: id,
  operator_name: name,
  operator_standing: _,
  ...row
}: ImpersonationRow): AnswerOf<typeof beginImpersonation>['impersonation'] {
  return {
    ...row,
    operator: { id, name },
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
  };
}
