import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { PlatformPlansRepository } from './platform-plans.repository.js';
import type { listPlans, putPlan } from './platform-plans.schema.js';

/** What operators offer. */
@Injectable()
export class PlatformPlansService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformPlansRepository) private readonly plans: PlatformPlansRepository,
  ) {}

  async list(caller: OperatorCaller): Promise<AnswerOf<typeof listPlans>> {
    return { plans: await this.database.asOperator(lookOf(caller, 'plans.list'), (tx) => this.plans.list(tx)) };
  }

  async put(
    caller: OperatorCaller,
    name: string,
    { reason, ...limits }: InputOf<typeof putPlan>['body'],
  ): Promise<AnswerOf<typeof putPlan>> {
    const plan = { name, ...limits };
    await this.database.asOperator(actOf(caller, { action: 'plans.put', reason, details: plan }), (tx) =>
      this.plans.put(tx, plan),
    );
    return { plan };
  }
}
