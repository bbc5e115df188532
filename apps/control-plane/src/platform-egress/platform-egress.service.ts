import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { isUniqueViolation, newId, type Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { ControlPlaneConfig } from '../config.js';
import { actOf, lookOf } from '../operators/act.js';
import { pageByKey } from '../paging/cursor.js';
import { PlatformTenantsRepository } from '../platform-tenants/platform-tenants.repository.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { CONFIG, OPERATOR_DATABASE } from '../platform/tokens.js';
import { leadsToStore } from './own-stores.js';
import { PlatformEgressRepository, type AllowanceRow } from './platform-egress.repository.js';
import type { addAllowance, listAllowances } from './platform-egress.schema.js';

const ALLOWANCES_MAX = 100;

/** Opens and closes private addresses for tenants. */
@Injectable()
export class PlatformEgressService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(PlatformTenantsRepository) private readonly tenantRows: PlatformTenantsRepository,
    @Inject(PlatformEgressRepository) private readonly allowances: PlatformEgressRepository,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /** @throws AppError `not_found` */
  async list(
    caller: OperatorCaller,
    { params, query }: InputOf<typeof listAllowances>,
  ): Promise<AnswerOf<typeof listAllowances>> {
    const { id: tenantId } = await this.tenants.get(params.tenant);
    const look = lookOf(caller, 'egress_allowances.list', tenantId);
    const rows = await this.database.asOperator(look, async (tx) => {
      await this.tenants.noteLook(tx, caller, look);
      return this.allowances.list(tx, tenantId);
    });
    const page = pageByKey(rows, ({ id }) => id, 'ascending', query);
    return { egress_allowances: page.rows.map(view), next_cursor: page.next };
  }

  /** @throws AppError `not_found`, `conflict` where the address is open already, `unprocessable` for a store of the platform */
  async add(
    caller: OperatorCaller,
    slug: string,
    { host, range, port, reason }: InputOf<typeof addAllowance>['body'],
  ): Promise<AnswerOf<typeof addAllowance>> {
    const { id: tenantId } = await this.tenants.get(slug);
    const opened = host === null ? { range, port } : { host, port };
    if (await leadsToStore(this.config, { host, range, port })) throw ofThePlatform(host);
    const act = actOf(caller, { action: 'egress_allowances.add', reason, tenantId, details: opened });
    try {
      return await this.database.asOperator(act, async (tx) => {
        await this.tenantRows.enter(tx, tenantId);
        await this.tenantRows.lock(tx, tenantId);
        if ((await this.allowances.list(tx, tenantId)).length >= ALLOWANCES_MAX) {
          throw new AppError('conflict', { message: `A tenant has at most ${ALLOWANCES_MAX} allowances.` });
        }
        const row = await this.allowances.insert(tx, tenantId, { id: newId(), host, range, port, reason });
        const details = { ...opened, reason };
        const entry = { event: 'egress_allowance.added', target: `egress_allowance:${row.id}`, details } as const;
        await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
        return { egress_allowance: view(row) };
      });
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new AppError('conflict', { message: `${host ?? range} port ${port} is allowed already.` });
    }
  }

  /** @throws AppError `not_found` */
  async remove(caller: OperatorCaller, slug: string, allowance: { id: string; reason: string }): Promise<void> {
    const { id: tenantId } = await this.tenants.get(slug);
    const { id, reason } = allowance;
    const act = actOf(caller, { action: 'egress_allowances.remove', reason, tenantId, details: { id } });
    await this.database.asOperator(act, async (tx) => {
      await this.tenantRows.enter(tx, tenantId);
      const row = await this.allowances.remove(tx, tenantId, id);
      if (row === undefined) throw new AppError('not_found');
      const { host, range, port } = row;
      const details = { ...(host === null ? { range } : { host }), port, reason };
      const entry = { event: 'egress_allowance.removed', target: `egress_allowance:${id}`, details } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
    });
  }
}

function ofThePlatform(host: string | null): AppError {
  const pointer = host === null ? '/range' : '/host';
  return new AppError('unprocessable', {
    message: 'This leads to PostgreSQL or Redis of the platform itself, which no tenant’s tools may call.',
    problems: [{ pointer, message: 'a store of the platform' }],
  });
}

function view(row: AllowanceRow): AnswerOf<typeof addAllowance>['egress_allowance'] {
  return { ...row, created_at: row.created_at.toISOString() };
}
