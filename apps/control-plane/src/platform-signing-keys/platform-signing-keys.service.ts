import { Inject, Injectable } from '@nestjs/common';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { pageByKey } from '../paging/cursor.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { PlatformSigningKeysRepository, type SigningKeyRow } from './platform-signing-keys.repository.js';
import type { listSigningKeys, rotateSigningKey } from './platform-signing-keys.schema.js';

type Keys = AnswerOf<typeof rotateSigningKey>;

/** Lets operators see the signing keys and say when one goes; the authorization server does the rest. */
@Injectable()
export class PlatformSigningKeysService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformSigningKeysRepository) private readonly keys: PlatformSigningKeysRepository,
  ) {}

  async list(
    caller: OperatorCaller,
    query: InputOf<typeof listSigningKeys>['query'],
  ): Promise<AnswerOf<typeof listSigningKeys>> {
    const look = lookOf(caller, 'signing-keys.list');
    const { signing_keys: all } = await this.database.asOperator(look, (tx) => this.#shown(tx));
    const page = pageByKey(all, ({ signs_from: from, kid }) => `${from} ${kid}`, 'descending', query);
    return { signing_keys: [...page.rows], next_cursor: page.next };
  }

  async rotate(caller: OperatorCaller, reason: string): Promise<Keys> {
    const act = actOf(caller, { action: 'signing-keys.rotate', reason });
    return this.database.asOperator(act, async (tx) => {
      await this.keys.askForSuccessor(tx);
      return this.#shown(tx);
    });
  }

  /** @throws AppError `not_found` where no such key is published */
  async retire(caller: OperatorCaller, kid: string, reason: string): Promise<Keys> {
    const act = actOf(caller, { action: 'signing-keys.retire', reason, details: { kid } });
    return this.database.asOperator(act, async (tx) => {
      if (!(await this.keys.retire(tx, kid))) throw new AppError('not_found');
      return this.#shown(tx);
    });
  }

  async #shown(tx: Transaction): Promise<Keys> {
    const rows = await this.keys.list(tx);
    const nowMs = Date.now();
    const live = rows.filter((row) => row.retires_at === null || row.retires_at.getTime() > nowMs);
    const signing = live.find((row) => row.signs_from.getTime() <= nowMs) ?? live[0];
    return { signing_keys: rows.map((row) => ({ ...shown(row), state: stateOf(row, live, signing) })) };
  }
}

function stateOf(row: SigningKeyRow, live: readonly SigningKeyRow[], signing: SigningKeyRow | undefined) {
  if (!live.includes(row)) return 'retired';
  if (row === signing) return 'signing';
  return signing !== undefined && row.signs_from > signing.signs_from ? 'coming' : 'leaving';
}

function shown(row: SigningKeyRow) {
  return {
    kid: row.kid,
    alg: row.alg,
    created_at: row.created_at.toISOString(),
    signs_from: row.signs_from.toISOString(),
    rotates_at: row.rotates_at?.toISOString() ?? null,
    retires_at: row.retires_at?.toISOString() ?? null,
  };
}
