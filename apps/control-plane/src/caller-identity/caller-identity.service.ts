import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantCaller } from '../access/caller.js';
import { ApiKeysRepository } from '../api-keys/api-keys.repository.js';
import type { AnswerOf } from '../contract/contract.js';
import { MembersRepository } from '../members/members.repository.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import type { getCaller } from './caller-identity.schema.js';

type Answer = AnswerOf<typeof getCaller>;

/** What callers may know of themselves. */
@Injectable()
export class CallerIdentityService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(MembersRepository) private readonly members: MembersRepository,
    @Inject(ApiKeysRepository) private readonly keys: ApiKeysRepository,
  ) {}

  /** @throws AppError `unauthenticated` for credentials that ended while they asked */
  async get(caller: TenantCaller): Promise<Answer> {
    const { tenantId, tenantSlug, permissions } = caller;
    return {
      who: await this.#who(caller),
      tenant: { id: tenantId, slug: tenantSlug },
      permissions: [...permissions],
    };
  }

  async #who({ tenantId, principal, impersonatedBy }: TenantCaller): Promise<Answer['who']> {
    if (impersonatedBy !== undefined) return { kind: 'operator', id: impersonatedBy };
    if (principal.kind === 'person') {
      const { subject, clientId: client } = principal;
      const member = await this.database.asTenant(tenantId, (tx) => this.members.find(tx, tenantId, subject));
      if (member === undefined) throw new AppError('unauthenticated');
      const { account_id: id, email, role, groups } = member;
      return { kind: 'person', id, email, role, groups, client };
    }
    if (principal.kind === 'client') throw new AppError('internal', { detail: { reason: 'a client manages nothing' } });
    const key = await this.database.asTenant(tenantId, (tx) => this.keys.find(tx, tenantId, principal.keyId));
    if (key === undefined) throw new AppError('unauthenticated');
    const { id, name, prefix, scopes, created_by, expires_at: end } = key;
    return { kind: 'api_key', id, name, prefix, scopes, created_by, expires_at: end?.toISOString() ?? null };
  }
}
