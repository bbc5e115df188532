import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import { FEATURE_FLAGS, readFlagSettings, type FlagName, type FlagSettings } from '#libs/flags';
import { doneBy, type OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { FeatureFlagsRepository } from '../feature-flags/feature-flags.repository.js';
import { flagPage, flagView, stateOf } from '../feature-flags/flag-view.js';
import { actOf, lookOf } from '../operators/act.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { PlatformFeatureFlagsRepository } from './platform-feature-flags.repository.js';
import type {
  decideTenantFlag,
  listPlatformFlags,
  listTenantFlags,
  setPlatformFlag,
} from './platform-feature-flags.schema.js';

/** What operators decide about features, for all tenants and for single ones. */
@Injectable()
export class PlatformFeatureFlagsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(FeatureFlagsRepository) private readonly decisions: FeatureFlagsRepository,
    @Inject(PlatformFeatureFlagsRepository) private readonly flags: PlatformFeatureFlagsRepository,
  ) {}

  async list(
    caller: OperatorCaller,
    query: InputOf<typeof listPlatformFlags>['query'],
  ): Promise<AnswerOf<typeof listPlatformFlags>> {
    const percents = await this.database.asOperator(lookOf(caller, 'feature_flags.list'), (tx) => this.flags.list(tx));
    const page = flagPage(query);
    return { flags: page.rows.map((flag) => platformView(flag, percents.get(flag))), next_cursor: page.next };
  }

  async set(
    caller: OperatorCaller,
    { reason, flag, percent }: InputOf<typeof setPlatformFlag>['body'],
  ): Promise<AnswerOf<typeof setPlatformFlag>> {
    const act = actOf(caller, { action: 'feature_flags.set', reason, details: { flag, percent } });
    await this.database.asOperator(act, async (tx, note) => {
      if ((await this.flags.list(tx)).get(flag) === percent) return note.unchanged();
      await this.flags.set(tx, flag, percent);
    });
    return platformView(flag, percent);
  }

  /** @throws AppError `not_found` */
  async listForTenant(
    caller: OperatorCaller,
    { params, query }: Pick<InputOf<typeof listTenantFlags>, 'params' | 'query'>,
  ): Promise<AnswerOf<typeof listTenantFlags>> {
    const { id } = await this.tenants.get(params.tenant);
    const look = lookOf(caller, 'feature_flags.list', id);
    return this.database.asOperator(look, async (tx) => {
      await this.tenants.noteLook(tx, caller, look);
      const settings = await readFlagSettings(tx, id);
      const page = flagPage(query);
      return { flags: page.rows.map((flag) => operatedView(flag, id, settings)), next_cursor: page.next };
    });
  }

  /** @throws AppError `not_found` */
  async decide(
    caller: OperatorCaller,
    slug: string,
    { flag, state, reason }: InputOf<typeof decideTenantFlag>['body'],
  ): Promise<AnswerOf<typeof decideTenantFlag>> {
    const { id } = await this.tenants.get(slug);
    const act = actOf(caller, { action: 'feature_flags.decide', reason, tenantId: id, details: { flag, state } });
    return this.database.asOperator(act, async (tx, note) => {
      // Locked: who decides the same at the same time sees the other's decision.
      await this.tenants.enter(tx, id);
      const before = operatedView(flag, id, await readFlagSettings(tx, id));
      if (before.decided === state) {
        note.unchanged();
        return before;
      }
      await this.decisions.decide(tx, id, { flag, state, by: 'operator', reason });
      const details = { state, reason };
      const entry = { event: 'feature_flag.decided', target: `feature_flag:${flag}`, details } as const;
      await appendAudit(tx, id, [doneBy(caller, entry)]);
      return operatedView(flag, id, await readFlagSettings(tx, id));
    });
  }
}

function platformView(flag: FlagName, percent: number | undefined): AnswerOf<typeof setPlatformFlag> {
  const { description, percent: from, tenantChooses } = FEATURE_FLAGS[flag];
  return { flag, description, percent: percent ?? from, tenant_chooses: tenantChooses };
}

function operatedView(flag: FlagName, tenantId: string, settings: FlagSettings): AnswerOf<typeof decideTenantFlag> {
  return { ...flagView(flag, tenantId, settings), decided: stateOf(settings.decisions[flag]?.operator) };
}
