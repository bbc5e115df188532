import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { FEATURE_FLAGS, FLAG_NAMES, readFlagSettings } from '#libs/flags';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { FeatureFlagsRepository } from './feature-flags.repository.js';
import type { chooseFlag, listFlags } from './feature-flags.schema.js';
import { flagPage, flagView } from './flag-view.js';

const CHOSEN_BY_TENANTS = FLAG_NAMES.filter((flag) => FEATURE_FLAGS[flag].tenantChooses);

/** A tenant's own view of the feature flags, and its choices. */
@Injectable()
export class FeatureFlagsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(FeatureFlagsRepository) private readonly flags: FeatureFlagsRepository,
  ) {}

  async list(
    { tenantId }: TenantCaller,
    query: InputOf<typeof listFlags>['query'],
  ): Promise<AnswerOf<typeof listFlags>> {
    const settings = await this.database.asTenant(tenantId, (tx) => readFlagSettings(tx, tenantId));
    const page = flagPage(query);
    return { flags: page.rows.map((flag) => flagView(flag, tenantId, settings)), next_cursor: page.next };
  }

  /** @throws AppError `unprocessable` for a flag that is the operators’ to decide. */
  async choose(
    caller: TenantCaller,
    { flag, state }: InputOf<typeof chooseFlag>['body'],
  ): Promise<AnswerOf<typeof chooseFlag>> {
    if (!CHOSEN_BY_TENANTS.includes(flag)) throw operatorsDecide(flag);
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      await this.flags.decide(tx, tenantId, { flag, state, by: 'tenant', reason: null });
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'feature_flag.chosen', target: `feature_flag:${flag}`, details: { state } }),
      ]);
      return flagView(flag, tenantId, await readFlagSettings(tx, tenantId));
    });
  }
}

function operatorsDecide(flag: string): AppError {
  return new AppError('unprocessable', {
    message: `${flag} is decided by the platform’s operators. A tenant chooses ${CHOSEN_BY_TENANTS.join(' and ')}.`,
    problems: [{ pointer: '/flag', message: 'not a tenant’s to choose' }],
  });
}
