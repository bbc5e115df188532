import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import type { RootKeyUse } from '#libs/rewrap';
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
    const { master_keys: all } = await this.#shown(await this.database.asOperator(look, (tx) => this.keys.list(tx)));
    const page = pageByKey(all, ({ created_at: at, id }) => `${at} ${id}`, 'descending', query);
    return { master_keys: [...page.rows], next_cursor: page.next };
  }

  async rewrap(caller: OperatorCaller, reason: string): Promise<Keys> {
    const details = { master_key_id: this.#currentId };
    const act = actOf(caller, { action: 'master-keys.rewrap', reason, details });
    const rows = await this.database.asOperator(act, async (tx) => {
      await this.keys.askForRewrap(tx, this.#currentId);
      return this.keys.list(tx);
    });
    return this.#shown(rows);
  }

  /** What is sealed is counted in every database in use. */
  async #shown(rows: readonly MasterKeyRow[]): Promise<Keys> {
    const uses = (await this.database.everywhere((tx) => this.keys.countUses(tx))).flat();
    return {
      master_keys: rows.map((row) => {
        const own = uses.filter(({ rootKeyId }) => rootKeyId === row.id);
        return {
          id: row.id,
          state: this.#stateOf(row),
          rows_left: own.reduce((sum, use) => sum + use.rows, 0),
          rows: sumsOf(own),
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

function sumsOf(uses: readonly RootKeyUse[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { table, rows } of uses) sums[table] = (sums[table] ?? 0) + rows;
  return sums;
}
