import { Inject, Injectable } from '@nestjs/common';
import type { ActNote, Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { Precondition } from '../contract/precondition.js';
import { actOf, lookOf } from '../operators/act.js';
import { pageByKey } from '../paging/cursor.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { hasTenantAway, inUse, isOfSignUps } from './platform-plans.errors.js';
import { PlatformPlansRepository, type PlanRow } from './platform-plans.repository.js';
import type { changePlan, deletePlan, listPlans, putPlan, showPlan } from './platform-plans.schema.js';

/** What the schema gives a tenant that signs up. */
const PLAN_OF_SIGN_UPS = 'free';

type PlanAnswer = AnswerOf<typeof showPlan>;

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

  /** @throws AppError `not_found` */
  async show(caller: OperatorCaller, name: string): Promise<PlanAnswer> {
    const plan = await this.database.asOperator(lookOf(caller, 'plans.show'), (tx) => this.plans.find(tx, name));
    if (plan === undefined) throw new AppError('not_found');
    return { plan };
  }

  /** @throws AppError `precondition_failed`, or `conflict` for a tier that a tenant of it is not of */
  async put(
    caller: OperatorCaller,
    { params: { name }, body: { reason, ...settings }, precondition }: InputOf<typeof putPlan>,
  ): Promise<PlanAnswer> {
    const plan = { name, ...settings };
    const act = actOf(caller, { action: 'plans.put', reason, details: plan });
    return this.database.asOperator(act, async (tx, note) => {
      const before = await this.#known(tx, name, precondition);
      return this.#keep(tx, note, before, plan);
    });
  }

  /** @throws AppError `not_found`, `precondition_failed`, or `conflict` for a tier that a tenant of it is not of */
  async change(
    caller: OperatorCaller,
    { params: { name }, body: { reason, ...given }, precondition }: InputOf<typeof changePlan>,
  ): Promise<PlanAnswer> {
    const act = actOf(caller, { action: 'plans.change', reason, details: { name, ...given } });
    return this.database.asOperator(act, async (tx, note) => {
      const before = await this.#known(tx, name, precondition);
      if (before === undefined) throw new AppError('not_found');
      return this.#keep(tx, note, before, changed(before, given));
    });
  }

  /** @throws AppError `not_found`, `precondition_failed`, or `conflict` while anybody has it */
  async delete(
    caller: OperatorCaller,
    { params: { name }, query: { reason }, precondition }: InputOf<typeof deletePlan>,
  ): Promise<void> {
    const act = actOf(caller, { action: 'plans.delete', reason, details: { name } });
    await this.database.asOperator(act, async (tx) => {
      if ((await this.#known(tx, name, precondition)) === undefined) throw new AppError('not_found');
      if (name === PLAN_OF_SIGN_UPS) throw isOfSignUps(name);
      const uses = await this.plans.countUses(tx, name);
      if (uses.tenants > 0 || uses.imports > 0) throw inUse(name, uses);
      await this.plans.delete(tx, name);
    });
  }

  /** The plan as it is, locked; it must be as the caller knows it. */
  async #known(tx: Transaction, name: string, precondition: Precondition): Promise<PlanRow | undefined> {
    const plan = await this.plans.lock(tx, name);
    precondition.require(plan && { plan });
    return plan;
  }

  async #keep(tx: Transaction, note: ActNote, before: PlanRow | undefined, plan: PlanRow): Promise<PlanAnswer> {
    if (plan.isolation_tier === 'shared' && before?.isolation_tier === 'dedicated') {
      const away = await this.plans.findAway(tx, plan.name);
      if (away !== undefined) throw hasTenantAway(plan.name, away);
    }
    const differing = Object.entries(before ?? {}).filter(([name, value]) => plan[name as keyof PlanRow] !== value);
    if (before !== undefined && differing.length === 0) note.unchanged();
    else if (before !== undefined) note.tell({ before: Object.fromEntries(differing) });
    await this.plans.put(tx, plan);
    return { plan };
  }
}

function changed(before: PlanRow, given: Partial<{ [Name in keyof PlanRow]: PlanRow[Name] | undefined }>): PlanRow {
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...before, ...Object.fromEntries(named) };
}
