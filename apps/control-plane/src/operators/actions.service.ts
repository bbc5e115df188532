import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { lookOf } from './act.js';
import { ActionsRepository } from './actions.repository.js';
import type { listActions } from './actions.schema.js';

/** Shows operators the platform's own audit. */
@Injectable()
export class ActionsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(ActionsRepository) private readonly actions: ActionsRepository,
  ) {}

  async list(
    caller: OperatorCaller,
    { limit, cursor, ...of }: InputOf<typeof listActions>['query'],
  ): Promise<AnswerOf<typeof listActions>> {
    const rows = await this.database.asOperator(lookOf(caller, 'actions.list'), (tx) =>
      this.actions.list(tx, of, { limit: limit + 1, cursor }),
    );
    const page = pageOf(rows, limit);
    const actions = page.rows.map(({ at, operator_id: id, operator_name: name, ...row }) => ({
      ...row,
      at: at.toISOString(),
      operator: { id, name },
    }));
    return { actions, next_cursor: page.next };
  }
}
