import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { OperatorCaller } from '../access/caller.js';
import { refuseKeys } from '../access/refuse-keys.js';
import type { AnswerOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { EmergencyKeysRepository } from './emergency-keys.repository.js';
import type { listEmergencyKeys } from './emergency-keys.schema.js';

const SHOWN = 100;

/** Which keys of the configuration let somebody in, and the end of those that should not. */
@Injectable()
export class EmergencyKeysService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(EmergencyKeysRepository) private readonly keys: EmergencyKeysRepository,
  ) {}

  async list(caller: OperatorCaller): Promise<AnswerOf<typeof listEmergencyKeys>> {
    const rows = await this.database.asOperator(lookOf(caller, 'emergency_keys.list'), (tx) =>
      this.keys.list(tx, SHOWN),
    );
    return {
      emergency_keys: rows.map(({ created_at: createdAt, shut_at: shutAt, last_act_at: lastActAt, ...row }) => ({
        ...row,
        state: shutAt === null ? 'open' : 'shut',
        created_at: createdAt.toISOString(),
        shut_at: shutAt?.toISOString() ?? null,
        last_act_at: lastActAt?.toISOString() ?? null,
      })),
    };
  }

  /** @throws AppError `not_found`, for one that was shut too; `conflict` for a key of an account */
  async shut(caller: OperatorCaller, id: string, reason: string): Promise<void> {
    refuseKeys(caller);
    const act = actOf(caller, { action: 'emergency_keys.shut', reason, details: { key: id } });
    await this.database.asOperator(act, async (tx) => {
      if (!(await this.keys.shut(tx, id))) throw new AppError('not_found');
    });
  }
}
