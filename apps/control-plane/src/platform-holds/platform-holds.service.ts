import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { newId, type Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { actOf, lookOf } from '../operators/act.js';
import { doneBy, type OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { PlatformHoldsRepository, type HoldRow } from './platform-holds.repository.js';
import type { holdTenant, liftHold, listHolds } from './platform-holds.schema.js';

const HOLDS_MAX = 100;

/** Legal holds: each for one matter, so that whoever lifts theirs lifts nobody else's. */
@Injectable()
export class PlatformHoldsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(PlatformHoldsRepository) private readonly holds: PlatformHoldsRepository,
  ) {}

  /** Stands in the platform's log alone: a tenant's would hint at what it may not know. @throws AppError `not_found` */
  async list(caller: OperatorCaller, slug: string): Promise<AnswerOf<typeof listHolds>> {
    const { id } = await this.tenants.get(slug);
    const rows = await this.database.asOperator(lookOf(caller, 'tenants.holds', id), (tx) => this.holds.list(tx, id));
    return { legal_holds: rows.map(view) };
  }

  /** @throws AppError `not_found`, `conflict` where a tenant is under too many */
  async hold(
    caller: OperatorCaller,
    slug: string,
    { reason, told }: InputOf<typeof holdTenant>['body'],
  ): Promise<AnswerOf<typeof holdTenant>> {
    const { id: tenantId } = await this.tenants.get(slug);
    const id = newId();
    const act = actOf(caller, { action: 'tenants.hold', reason, tenantId, details: { hold: id, told } });
    return this.database.asOperator(act, async (tx) => {
      await this.tenants.enter(tx, tenantId);
      const placed = { id, reason, told, held_by: caller.operatorId, max: HOLDS_MAX };
      const row = await this.holds.place(tx, tenantId, placed);
      if (row === undefined) throw tooMany();
      if (told) {
        const entry = { event: 'tenant.held', target: `tenant:${tenantId}`, details: { hold: id, reason } } as const;
        await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
      }
      return view(row);
    });
  }

  /** @throws AppError `not_found`, for a hold that does not stand too */
  async lift(
    caller: OperatorCaller,
    { tenant, hold }: InputOf<typeof liftHold>['params'],
    reason: string,
  ): Promise<void> {
    const { id: tenantId } = await this.tenants.get(tenant);
    const act = actOf(caller, { action: 'tenants.release', reason, tenantId, details: { hold } });
    await this.database.asOperator(act, async (tx) => {
      await this.tenants.enter(tx, tenantId);
      const lifted = await this.holds.lift(tx, tenantId, hold);
      if (lifted === undefined) throw new AppError('not_found');
      if (!lifted.told) return;
      const entry = { event: 'tenant.released', target: `tenant:${tenantId}`, details: { hold, reason } } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
    });
  }
}

function view({ since, ...row }: HoldRow): AnswerOf<typeof holdTenant> {
  return { ...row, since: since.toISOString() };
}

function tooMany(): AppError {
  return new AppError('conflict', {
    message: `This tenant is under ${HOLDS_MAX} legal holds already. Lift those that have ended first.`,
  });
}
