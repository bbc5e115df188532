import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import { personBehind } from '../access/person-behind.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { lockScopes, refuseUnknownScopes } from '../scopes/known-scopes.js';
import { ApiKeysRepository } from './api-keys.repository.js';
import type { createApiKey, listApiKeys, rotateApiKey } from './api-keys.schema.js';
import { mintKeyRow, newKeyView } from './mint-key.js';

const LASTING_MAX = 100;
/** With those that only go on beside their successors. */
const USABLE_MAX = 2 * LASTING_MAX;
const TOO_MANY_OVERLAP =
  `There are ${USABLE_MAX} usable API keys with those that go on beside their successors. ` +
  'Wait until one has ended, revoke one, or rotate with `overlap_seconds` 0.';

/** A tenant's API keys. */
@Injectable()
export class ApiKeysService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ApiKeysRepository) private readonly keys: ApiKeysRepository,
  ) {}

  async list(
    { tenantId }: TenantCaller,
    query: InputOf<typeof listApiKeys>['query'],
  ): Promise<AnswerOf<typeof listApiKeys>> {
    const wanted = { ...query, limit: query.limit + 1 };
    const rows = await this.database.asTenant(tenantId, (tx) => this.keys.list(tx, tenantId, wanted));
    const page = pageOf(rows, query.limit);
    return {
      next_cursor: page.next,
      api_keys: page.rows.map((row) => ({
        ...row,
        created_at: row.created_at.toISOString(),
        expires_at: row.expires_at?.toISOString() ?? null,
        revoked_at: row.revoked_at?.toISOString() ?? null,
        last_used_at: row.last_used_at?.toISOString() ?? null,
      })),
    };
  }

  /** @throws AppError `conflict` when the tenant has as many keys as it may, `unprocessable` for scopes that name nothing. */
  async create(
    caller: TenantCaller,
    { name, scopes, expires_at: expiresAt }: InputOf<typeof createApiKey>['body'],
  ): Promise<AnswerOf<typeof createApiKey>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      await lockScopes(tx, tenantId, 'to give');
      const createdBy = await personBehind(tx, caller);
      const ends = expiresAt === undefined ? null : new Date(expiresAt);
      const key = mintKeyRow(tenantId, { name, scopes, expiresAt: ends, createdBy });
      const { all, lasting } = await this.keys.countUsable(tx, tenantId);
      if (lasting >= LASTING_MAX) throw tooMany(`A tenant has at most ${LASTING_MAX} API keys. Revoke one first.`);
      if (all >= USABLE_MAX) throw tooMany(TOO_MANY_OVERLAP);
      await refuseUnknownScopes(tx, tenantId, scopes);
      await this.keys.insert(tx, tenantId, key.row);
      const details = { name, scopes, expires_at: expiresAt ?? null };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'api_key.created', target: `api_key:${key.row.id}`, details }),
      ]);
      return newKeyView(key);
    });
  }

  /** @throws AppError `not_found`, or `conflict` for a key that opens nothing any more, and one key too many */
  async rotate(
    caller: TenantCaller,
    { params: { id }, body }: InputOf<typeof rotateApiKey>,
  ): Promise<AnswerOf<typeof rotateApiKey>> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      await lockScopes(tx, tenantId, 'to give');
      const { all } = await this.keys.countUsable(tx, tenantId);
      const before = await this.keys.lockUsable(tx, tenantId, id);
      if (before === undefined) {
        if (!(await this.keys.exists(tx, tenantId, id))) throw new AppError('not_found');
        throw new AppError('conflict', { message: 'This key has ended or has a successor already. Create a new one.' });
      }
      if (body.overlap_seconds > 0 && all >= USABLE_MAX) throw tooMany(TOO_MANY_OVERLAP);
      const { name, scopes, expires_at: expiresAt } = before;
      const createdBy = await personBehind(tx, caller);
      const key = mintKeyRow(tenantId, { name, scopes, expiresAt, createdBy });
      await this.keys.insert(tx, tenantId, key.row);
      await this.keys.succeed(tx, tenantId, { id, successorId: key.row.id, seconds: body.overlap_seconds });
      const details = { successor: key.row.id, overlap_seconds: body.overlap_seconds };
      await appendAudit(tx, tenantId, [doneBy(caller, { event: 'api_key.rotated', target: `api_key:${id}`, details })]);
      return newKeyView(key);
    });
  }

  /** @throws AppError `not_found` */
  async revoke(caller: TenantCaller, id: string): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      const outcome = await this.keys.revoke(tx, tenantId, id);
      if (outcome === 'absent') throw new AppError('not_found');
      if (outcome === 'revoked before') return;
      await appendAudit(tx, tenantId, [doneBy(caller, { event: 'api_key.revoked', target: `api_key:${id}` })]);
    });
  }
}

function tooMany(message: string): AppError {
  return new AppError('conflict', { message });
}
