import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { PlatformTenantsRepository } from '../platform-tenants/platform-tenants.repository.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { PlatformLimitsRepository } from './platform-limits.repository.js';
import type { setLimits, showLimits } from './platform-limits.schema.js';

/** Limits of single tenants in place of their plans'. */
@Injectable()
export class PlatformLimitsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(PlatformTenantsRepository) private readonly tenantRows: PlatformTenantsRepository,
    @Inject(PlatformLimitsRepository) private readonly limits: PlatformLimitsRepository,
  ) {}

  /** @throws AppError `not_found` */
  async show(caller: OperatorCaller, slug: string): Promise<AnswerOf<typeof showLimits>> {
    const { id } = await this.tenants.get(slug);
    const look = lookOf(caller, 'limits.show', id);
    return this.database.asOperator(look, async (tx) => {
      await this.tenants.noteLook(tx, caller, look);
      return this.#get(tx, id);
    });
  }

  /** @throws AppError `not_found`, `precondition_failed` */
  async set(
    caller: OperatorCaller,
    { params, body: { limits, reason }, precondition }: InputOf<typeof setLimits>,
  ): Promise<AnswerOf<typeof setLimits>> {
    const { id } = await this.tenants.get(params.tenant);
    const act = actOf(caller, { action: 'limits.set', reason, tenantId: id, details: { limits } });
    return this.database.asOperator(act, async (tx, note) => {
      await this.tenantRows.enter(tx, id);
      await this.limits.lock(tx, id);
      const before = await this.#get(tx, id);
      precondition.require(before);
      if (isDeepStrictEqual(given(before.limits), given(limits))) {
        note.unchanged();
        return before;
      }
      await this.limits.set(tx, id, limits, reason);
      const details = { limits: given(limits), reason };
      const entry = { event: 'tenant.limits_changed', target: `tenant:${id}`, details } as const;
      await appendAudit(tx, id, [doneBy(caller, entry)]);
      return this.#get(tx, id);
    });
  }

  async #get(tx: Transaction, id: string): Promise<AnswerOf<typeof showLimits>> {
    const found = await this.limits.find(tx, id);
    if (found === undefined) throw new AppError('not_found');
    return found;
  }
}

function given(limits: InputOf<typeof setLimits>['body']['limits']): Record<string, number | null> {
  return Object.fromEntries(
    Object.entries(limits).flatMap(([name, limit]) => (limit === undefined ? [] : [[name, limit]])),
  );
}
