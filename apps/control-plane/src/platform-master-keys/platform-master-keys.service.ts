import { Inject, Injectable } from '@nestjs/common';
import type { Database, Transaction } from '#libs/database';
import { masterKeyId } from '#libs/secrets';
import type { OperatorCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { pageByKey } from '../paging/cursor.js';
import { CONFIG, OPERATOR_DATABASE } from '../platform/tokens.js';
import { PlatformMasterKeysRepository, type MasterKeyRow } from './platform-master-keys.repository.js';
import type { listMasterKeys, rewrapMasterKeys } from './platform-master-keys.schema.js';

type Keys = AnswerOf<typeof rewrapMasterKeys>;

/** Lets operators see what is sealed under which master key, and have everything sealed under the first one. */
@Injectable()
export class PlatformMasterKeysService {
  readonly #currentId: string;

  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(CONFIG) config: ControlPlaneConfig,
    @Inject(PlatformMasterKeysRepository) private readonly keys: PlatformMasterKeysRepository,
  ) {
    this.#currentId = masterKeyId(config.WHARF_MASTER_KEY);
  }

  async list(
    caller: OperatorCaller,
    query: InputOf<typeof listMasterKeys>['query'],
  ): Promise<AnswerOf<typeof listMasterKeys>> {
    const look = lookOf(caller, 'master-keys.list');
    const { master_keys: all } = await this.database.asOperator(look, (tx) => this.#shown(tx));
    const page = pageByKey(all, ({ created_at: at, id }) => `${at} ${id}`, 'descending', query);
    return { master_keys: [...page.rows], next_cursor: page.next };
  }

  async rewrap(caller: OperatorCaller, reason: string): Promise<Keys> {
    const details = { master_key_id: this.#currentId };
    const act = actOf(caller, { action: 'master-keys.rewrap', reason, details });
    return this.database.asOperator(act, async (tx) => {
      await this.keys.askForRewrap(tx, this.#currentId);
      return this.#shown(tx);
    });
  }

  async #shown(tx: Transaction): Promise<Keys> {
    const uses = await this.keys.countUses(tx);
    const rows = await this.keys.list(tx);
    return {
      master_keys: rows.map((row) => {
        const own = uses.filter(({ rootKeyId }) => rootKeyId === row.id);
        return {
          id: row.id,
          state: this.#stateOf(row),
          rows_left: own.reduce((sum, use) => sum + use.rows, 0),
          rows: Object.fromEntries(own.map((use) => [use.table, use.rows])),
          created_at: row.created_at.toISOString(),
          rewrap_asked_at: row.rewrap_asked_at?.toISOString() ?? null,
          rewrapped_at: row.rewrapped_at?.toISOString() ?? null,
          left_at: row.left_at?.toISOString() ?? null,
        };
      }),
    };
  }

  #stateOf(row: MasterKeyRow): 'sealing' | 'opening' | 'left' {
    if (row.id === this.#currentId) return 'sealing';
    return row.left_at === null ? 'opening' : 'left';
  }
}
