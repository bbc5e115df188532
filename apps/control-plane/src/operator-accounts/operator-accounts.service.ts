import { Inject, Injectable } from '@nestjs/common';
import { isUniqueViolation, newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { OperatorCaller } from '../access/caller.js';
import { refuseKeys } from '../access/refuse-keys.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { mintOperatorSecret } from '../credentials/operator-credentials.js';
import { actOf, lookOf } from '../operators/act.js';
import { OperatorCredentialsRepository } from '../operator-own/operator-credentials.repository.js';
import { KEYS_MAX, operatorKeyView } from '../operator-own/operator-own.service.js';
import { pageByKey, pageOf } from '../paging/cursor.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import { OperatorAccountsRepository, type OperatorRow } from './operator-accounts.repository.js';
import type {
  changeOperator,
  inviteOperator,
  listKeysOf,
  listOperators,
  reinviteOperator,
  revokeKeyOf,
} from './operator-accounts.schema.js';

const INVITATION_MS = 3 * 24 * 60 * 60 * 1_000;

/** Who the operators are: admins invite, change and shut accounts. */
@Injectable()
export class OperatorAccountsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(OperatorAccountsRepository) private readonly accounts: OperatorAccountsRepository,
    @Inject(OperatorCredentialsRepository) private readonly credentials: OperatorCredentialsRepository,
  ) {}

  async list(
    caller: OperatorCaller,
    { limit, cursor }: InputOf<typeof listOperators>['query'],
  ): Promise<AnswerOf<typeof listOperators>> {
    const rows = await this.database.asOperator(lookOf(caller, 'operators.list'), (tx) =>
      this.accounts.list(tx, { limit: limit + 1, cursor }),
    );
    const page = pageOf(rows, limit);
    return { operators: page.rows.map(operatorView), next_cursor: page.next };
  }

  /** @throws AppError `conflict` where the address has an account, or for a key */
  async invite(
    caller: OperatorCaller,
    { email, name, role, reason }: InputOf<typeof inviteOperator>['body'],
  ): Promise<AnswerOf<typeof inviteOperator>> {
    refuseKeys(caller);
    const id = newId();
    const { shown, kept } = newInvitation();
    const act = actOf(caller, { action: 'operators.invite', reason, details: { operator: id, email, role } });
    try {
      return await this.database.asOperator(act, async (tx) => {
        await this.accounts.insert(tx, { id, name, email, role, invitedBy: caller.operatorId }, kept);
        return { operator: operatorView(await this.#get(tx, id)), invitation: shown };
      });
    } catch (error) {
      if (!isUniqueViolation(error, 'operator_accounts_email_key')) throw error;
      throw new AppError('conflict', {
        message: `${email} has an account already. Find it with GET /admin/v1/operators, and invite it again there.`,
      });
    }
  }

  /** @throws AppError `not_found`, or `conflict` for one's own account, or for a key */
  async change(
    caller: OperatorCaller,
    id: string,
    { reason, ...to }: InputOf<typeof changeOperator>['body'],
  ): Promise<AnswerOf<typeof changeOperator>> {
    refuseKeys(caller);
    const act = actOf(caller, { action: 'operators.change', reason, details: { operator: id, ...to } });
    return this.database.asOperator(act, async (tx, note) => {
      const before = await this.#getOther(tx, caller, id);
      await this.accounts.change(tx, id, to);
      if (to.disabled === true) await this.accounts.endCredentials(tx, id);
      const now = await this.#get(tx, id);
      if (now.role === before.role && now.status === before.status) note.unchanged();
      return { operator: operatorView(now) };
    });
  }

  /** @throws AppError `not_found`, or `conflict` for one's own account, or for a key */
  async reinvite(caller: OperatorCaller, id: string, reason: string): Promise<AnswerOf<typeof reinviteOperator>> {
    refuseKeys(caller);
    const { shown, kept } = newInvitation();
    const act = actOf(caller, { action: 'operators.reinvite', reason, details: { operator: id } });
    return this.database.asOperator(act, async (tx) => {
      await this.#getOther(tx, caller, id);
      await this.accounts.reinvite(tx, id, kept);
      return { operator: operatorView(await this.#get(tx, id)), invitation: shown };
    });
  }

  /** @throws AppError `not_found` */
  async listKeys(
    caller: OperatorCaller,
    { params, query }: InputOf<typeof listKeysOf>,
  ): Promise<AnswerOf<typeof listKeysOf>> {
    const act = actOf(caller, { action: 'operators.keys', reason: 'read', details: { operator: params.id } });
    const rows = await this.database.asOperator(act, async (tx) => {
      await this.#get(tx, params.id);
      return this.credentials.listKeys(tx, params.id, KEYS_MAX);
    });
    const page = pageByKey(rows, ({ id }) => id, 'descending', query);
    return { keys: page.rows.map(operatorKeyView), next_cursor: page.next };
  }

  /** @throws AppError `not_found` for a key that is none of theirs or has ended, `conflict` for a key that asks */
  async revokeKey(
    caller: OperatorCaller,
    { params, query }: Pick<InputOf<typeof revokeKeyOf>, 'params' | 'query'>,
  ): Promise<void> {
    refuseKeys(caller);
    const { id: operator, key } = params;
    const act = actOf(caller, { action: 'operators.revoke_key', reason: query.reason, details: { operator, key } });
    await this.database.asOperator(act, async (tx) => {
      if (!(await this.credentials.revoke(tx, operator, 'key', key))) throw new AppError('not_found');
    });
  }

  async #get(tx: Transaction, id: string): Promise<OperatorRow> {
    const row = await this.accounts.find(tx, id);
    if (row === undefined) throw new AppError('not_found');
    return row;
  }

  /** Nobody gives themselves a role, nor shuts themselves out. */
  async #getOther(tx: Transaction, { operatorId }: OperatorCaller, id: string): Promise<OperatorRow> {
    const other = await this.#get(tx, id);
    if (id !== operatorId) return other;
    throw new AppError('conflict', { message: 'This is your own account. Ask another admin to change it.' });
  }
}

/** An account as operators see it. */
export function operatorView(row: OperatorRow): AnswerOf<typeof changeOperator>['operator'] {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    last_signed_in_at: row.last_signed_in_at?.toISOString() ?? null,
  };
}

function newInvitation(): {
  shown: { text: string; expires_at: string };
  kept: { hash: string; expiresAt: Date };
} {
  const { text, hash } = mintOperatorSecret('invitation');
  const expiresAt = new Date(Date.now() + INVITATION_MS);
  return { shown: { text, expires_at: expiresAt.toISOString() }, kept: { hash, expiresAt } };
}
