import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { isUniqueViolation, newId, type Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { clientSecretPurpose } from '#libs/openid';
import type { TenantVault } from '#libs/secrets';
import { doneBy, type TenantCaller } from '../access/caller.js';
import { settleKeysOf } from '../api-keys/keys-of-leavers.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { CONFIG, TENANT_DATABASE, VAULT } from '../platform/tokens.js';
import { IdentityProvidersRepository, type ProviderRow } from './identity-providers.repository.js';
import type {
  changeProvider,
  createProvider,
  deleteProvider,
  getProvider,
  listProviders,
} from './identity-providers.schema.js';
import { ProviderCheck } from './provider-check.js';

const PROVIDERS_MAX = 10;

/** A tenant's OpenID providers. */
@Injectable()
export class IdentityProvidersService {
  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(VAULT) private readonly vault: TenantVault,
    @Inject(IdentityProvidersRepository) private readonly providers: IdentityProvidersRepository,
    @Inject(ProviderCheck) private readonly check: ProviderCheck,
  ) {}

  async list(
    caller: TenantCaller,
    query: InputOf<typeof listProviders>['query'],
  ): Promise<AnswerOf<typeof listProviders>> {
    const { tenantId } = caller;
    const rows = await this.database.asTenant(tenantId, (tx) => this.providers.list(tx, tenantId));
    const page = pageByKey(rows, ({ id }) => id, 'ascending', query);
    return { identity_providers: page.rows.map((row) => this.#view(caller, row)), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get(caller: TenantCaller, id: string): Promise<AnswerOf<typeof getProvider>> {
    return this.#view(caller, await this.#getRow(caller.tenantId, id));
  }

  /** @throws AppError `unprocessable` when the provider cannot be used, `conflict` when it is connected already */
  async create(
    caller: TenantCaller,
    { client_secret: clientSecret, ...choices }: InputOf<typeof createProvider>['body'],
  ): Promise<AnswerOf<typeof createProvider>> {
    const { tenantId } = caller;
    const { issuer, client_id: clientId } = choices;
    await this.check.refuseUnusable(tenantId, { issuer, clientId, clientSecret });
    const id = newId();
    try {
      await this.database.asTenant(tenantId, async (tx) => {
        if ((await this.providers.count(tx, tenantId)) >= PROVIDERS_MAX) throw tooMany();
        const secret = await this.vault.seal(tx, tenantId, clientSecretPurpose(id), clientSecret);
        await this.providers.insert(tx, tenantId, { ...choices, id, secret });
        const entry = {
          event: 'identity_provider.created',
          target: `identity-provider:${id}`,
          details: choices,
        } as const;
        await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
      });
    } catch (error) {
      if (!isUniqueViolation(error, 'identity_providers_issuer_key')) throw error;
      throw new AppError('conflict', { message: `${issuer} is connected already. Change that provider instead.` });
    }
    return this.get(caller, id);
  }

  /** @throws AppError `not_found`, or `unprocessable` when the provider cannot be used with a new client */
  async change(
    caller: TenantCaller,
    id: string,
    { body, precondition }: Pick<InputOf<typeof changeProvider>, 'body' | 'precondition'>,
  ): Promise<AnswerOf<typeof changeProvider>> {
    const { tenantId } = caller;
    const { client_secret: clientSecret, ...changes } = body;
    const known = await this.#getRow(tenantId, id);
    precondition.require(this.#view(caller, known));
    const { issuer, client_id: clientId } = known;
    if (clientSecret !== undefined || changes.client_id !== undefined) {
      const next = { issuer, clientId: changes.client_id ?? clientId, clientSecret: clientSecret ?? '' };
      await this.check.refuseUnusable(tenantId, next);
    }
    await this.database.asTenant(tenantId, async (tx) => {
      const row = await this.providers.lock(tx, tenantId, id);
      if (row === undefined) throw new AppError('not_found');
      precondition.require(this.#view(caller, row));
      const kept = { dataKeyId: row.secret_data_key_id, ciphertext: row.secret_ciphertext };
      const secret =
        clientSecret === undefined ? kept : await this.vault.seal(tx, tenantId, clientSecretPurpose(id), clientSecret);
      await this.providers.update(tx, tenantId, { ...row, ...given(changes), secret });
      const details = { ...changes, client_secret: clientSecret === undefined ? 'kept' : 'written' } as const;
      const entry = { event: 'identity_provider.changed', target: `identity-provider:${id}`, details } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
    });
    return this.get(caller, id);
  }

  /** Its people are members no more, and what their agents hold ends. @throws AppError `not_found` */
  async remove(
    caller: TenantCaller,
    { params: { provider: id }, query: { keys }, precondition }: InputOf<typeof deleteProvider>,
  ): Promise<void> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, async (tx) => {
      const row = await this.providers.lock(tx, tenantId, id);
      if (row === undefined) throw new AppError('not_found');
      precondition.require(this.#view(caller, row));
      const gone = await this.providers.remove(tx, tenantId, row);
      const settled = await settleKeysOf(tx, caller, { accountIds: gone, keys });
      const details = { issuer: row.issuer, members_removed: gone.length, ...settled };
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'identity_provider.deleted', target: `identity-provider:${id}`, details }),
      ]);
    });
  }

  async #getRow(tenantId: string, id: string): Promise<ProviderRow> {
    const row = await this.database.asTenant(tenantId, (tx) => this.providers.lock(tx, tenantId, id));
    if (row === undefined) throw new AppError('not_found');
    return row;
  }

  #view({ tenantSlug }: TenantCaller, row: ProviderRow): AnswerOf<typeof getProvider> {
    const {
      created_at: created,
      updated_at: updated,
      secret_data_key_id: _key,
      secret_ciphertext: _secret,
      ...rest
    } = row;
    return {
      ...rest,
      scopes: [...row.scopes],
      email_domains: [...row.email_domains],
      group_roles: [...row.group_roles],
      redirect_uri: `${this.config.issuer}/federation/${tenantSlug}/callback`,
      created_at: created.toISOString(),
      updated_at: updated.toISOString(),
    };
  }
}

/** The changes that were really asked for. */
function given<Changes extends object>(changes: Changes): { [Key in keyof Changes]: Exclude<Changes[Key], undefined> } {
  const entries = Object.entries(changes).filter(([, value]) => value !== undefined);
  // Only what is undefined was taken out.
  return Object.fromEntries(entries) as { [Key in keyof Changes]: Exclude<Changes[Key], undefined> };
}

function tooMany(): AppError {
  return new AppError('conflict', { message: `A tenant has at most ${PROVIDERS_MAX} providers. Delete one first.` });
}
