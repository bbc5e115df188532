import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { pageByKey } from '../paging/cursor.js';
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

  async list(caller: OperatorCaller, query: InputOf<typeof listPlans>['query']): Promise<AnswerOf<typeof listPlans>> {
    const rows = await this.database.asOperator(lookOf(caller, 'plans.list'), (tx) => this.plans.list(tx));
    const page = pageByKey(rows, ({ name }) => name, 'ascending', query);
    return { plans: [...page.rows], next_cursor: page.next };
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
