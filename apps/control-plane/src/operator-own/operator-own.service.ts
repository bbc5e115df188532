import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { OperatorCaller } from '../access/caller.js';
import { lesserRole } from '../access/operator-roles.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { pageByKey } from '../paging/cursor.js';
import { OPERATOR_DATABASE } from '../platform/tokens.js';
import {
  mintCredential,
  OperatorCredentialsRepository,
  type OperatorKeyRow,
} from './operator-credentials.repository.js';
import type { createOwnKey, listOwnKeys, showSelf } from './operator-own.schema.js';

/** Keys of one account. */
export const KEYS_MAX = 20;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** What an operator does about themselves. */
@Injectable()
export class OperatorOwnService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(OperatorCredentialsRepository) private readonly credentials: OperatorCredentialsRepository,
  ) {}

  show({ operatorId: id, role, credential, permissions }: OperatorCaller): AnswerOf<typeof showSelf> {
    return { operator: { id, role }, credential: credential.kind, permissions: [...permissions] };
  }

  async signOut(caller: OperatorCaller): Promise<void> {
    const { credential, operatorId } = caller;
    if (credential.kind !== 'session') return;
    const act = actOf(caller, { action: 'operators.sign_out', reason: 'signed out' });
    await this.database.asOperator(act, (tx) => this.credentials.revoke(tx, operatorId, 'session', credential.id));
  }

  async listKeys(
    caller: OperatorCaller,
    query: InputOf<typeof listOwnKeys>['query'],
  ): Promise<AnswerOf<typeof listOwnKeys>> {
    const rows = await this.database.asOperator(lookOf(caller, 'operator_keys.list'), (tx) =>
      this.credentials.listKeys(tx, caller.operatorId, KEYS_MAX),
    );
    const page = pageByKey(rows, ({ id }) => id, 'descending', query);
    return { keys: page.rows.map(operatorKeyView), next_cursor: page.next };
  }

  /** @throws AppError `unprocessable` for a role beyond one's own, `conflict` for too many, or for who has not signed in */
  async createKey(
    caller: OperatorCaller,
    { name, role = caller.role, days, reason }: InputOf<typeof createOwnKey>['body'],
  ): Promise<AnswerOf<typeof createOwnKey>> {
    const { operatorId } = caller;
    if (caller.credential.kind !== 'session') throw notSignedIn();
    if (lesserRole(role, caller.role) !== role) throw beyond(caller.role);
    const expiresAt = new Date(Date.now() + days * DAY_MS);
    const { text, row } = mintCredential({ operatorId, kind: 'key', name, role, expiresAt });
    const act = actOf(caller, { action: 'operator_keys.create', reason, details: { key: row.id, role, days } });
    const kept = await this.database.asOperator(act, async (tx) => {
      await this.credentials.forgetEnded(tx, operatorId);
      if ((await this.credentials.listKeys(tx, operatorId, KEYS_MAX)).length >= KEYS_MAX) throw tooMany();
      await this.credentials.insert(tx, row);
      return this.credentials.findKey(tx, row.id);
    });
    if (kept === undefined)
      throw new AppError('internal', { detail: { reason: 'a key that was just written is gone' } });
    return { key: operatorKeyView(kept), text };
  }

  /** @throws AppError `not_found` */
  async revokeKey(caller: OperatorCaller, id: string, reason: string): Promise<void> {
    const act = actOf(caller, { action: 'operator_keys.revoke', reason, details: { key: id } });
    await this.database.asOperator(act, async (tx) => {
      if (!(await this.credentials.revoke(tx, caller.operatorId, 'key', id))) throw new AppError('not_found');
    });
  }
}

/** A key as it is listed. */
export function operatorKeyView(row: OperatorKeyRow): AnswerOf<typeof createOwnKey>['key'] {
  return {
    ...row,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
  };
}

function notSignedIn(): AppError {
  return new AppError('conflict', {
    message:
      'Only who has signed in makes keys: a key that leaks must not make others. Use POST /admin/v1/sign-in first.',
  });
}

function tooMany(): AppError {
  return new AppError('conflict', { message: `You have ${KEYS_MAX} keys, which is the limit. Revoke one first.` });
}

function beyond(role: string): AppError {
  return new AppError('unprocessable', {
    message: `A key cannot do more than you can. Your role is ${role}.`,
    problems: [{ pointer: '/role', message: 'more than your own role' }],
  });
}
