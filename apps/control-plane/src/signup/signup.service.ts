import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, type AuditActor } from '#libs/audit';
import { isUniqueViolation, newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { Logger } from '#libs/telemetry';
import { ApiKeysRepository } from '../api-keys/api-keys.repository.js';
import { mintKeyRow, newKeyView, type MintedKey } from '../api-keys/mint-key.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import type { Origin } from '../edge/origin.js';
import { LOGGER, TENANT_DATABASE } from '../platform/tokens.js';
import type { TenantRow } from '../tenants/tenants.repository.js';
import { tenantUrls, tenantView } from '../tenants/tenant-view.js';
import { PasswordHasher } from './password-hasher.js';
import { SignupRepository } from './signup.repository.js';
import type { signUp } from './signup.schema.js';

type Application = InputOf<typeof signUp>['body'];

/** The owner to be: an account that is there already, with its address confirmed or not; one to create; or one whose password was not given. */
type Owner =
  | { readonly kind: 'proved' | 'unverified' | 'refused'; readonly id: string }
  | { readonly kind: 'new'; readonly id: string; readonly passwordHash: string };

/**
 * Opens tenants. Every application costs one password hash and is refused for its slug before its e-mail address, so
 * that a taken slug tells nobody which addresses have accounts.
 */
@Injectable()
export class SignupService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(PasswordHasher) private readonly passwords: PasswordHasher,
    @Inject(SignupRepository) private readonly signups: SignupRepository,
    @Inject(ApiKeysRepository) private readonly keys: ApiKeysRepository,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws AppError `conflict` when the slug is taken, or the e-mail address is and the password is not its own. */
  async signUp(application: Application, origin: Origin, publicUrl: string): Promise<AnswerOf<typeof signUp>> {
    const owner = await this.#ownerFor(application);
    const tenantId = newId();
    const first = { name: 'First key', scopes: ['management', 'mcp'], expiresAt: null, createdBy: owner.id };
    const key = mintKeyRow(tenantId, first);
    try {
      const tenant = await this.database.asTenant(tenantId, (tx) =>
        this.#open(tx, { application, owner, tenantId, key, origin }),
      );
      return { tenant: tenantView(tenant), urls: tenantUrls(publicUrl, tenant.slug), api_key: newKeyView(key) };
    } catch (error) {
      if (isUniqueViolation(error, 'tenants_slug_key')) throw slugTaken(application.slug);
      if (isUniqueViolation(error, 'accounts_email_key')) throw notTheAccount();
      throw error;
    }
  }

  async #ownerFor({ email, password }: Application): Promise<Owner> {
    const account = await this.database.asService((tx) => this.signups.findAccount(tx, email));
    if (account === undefined) return { kind: 'new', id: newId(), passwordHash: await this.passwords.hash(password) };
    const matches = await this.passwords.matches(password, account.password_hash);
    // The account's id, not its address: the line is found by its trace id, and shows nobody whom it is about.
    if (!matches) this.logger.warn({ account_id: account.id }, 'sign-up with a wrong password for an account');
    if (!matches) return { kind: 'refused', id: account.id };
    return { kind: account.email_verified ? 'proved' : 'unverified', id: account.id };
  }

  async #open(
    tx: Transaction,
    {
      application,
      owner,
      tenantId,
      key,
      origin,
    }: {
      application: Application;
      owner: Owner;
      tenantId: string;
      key: MintedKey;
      origin: Origin;
    },
  ): Promise<TenantRow> {
    const tenant = await this.signups.insertTenant(tx, {
      id: tenantId,
      slug: application.slug,
      name: application.tenant_name,
    });
    if (owner.kind === 'refused') throw notTheAccount();
    if (owner.kind === 'unverified') throw unverified();
    if (owner.kind === 'new') {
      await this.signups.insertAccount(tx, owner.id, application.email, owner.passwordHash);
      await this.signups.queueVerification(tx, { id: owner.id, email: application.email });
    }
    await this.signups.insertOwner(tx, tenantId, owner.id);
    await this.keys.insert(tx, tenantId, key.row);
    const actor: AuditActor = { kind: 'person', id: owner.id };
    const done = { actor, outcome: 'ok', ...origin } as const;
    await appendAudit(tx, tenantId, [
      { ...done, event: 'tenant.created', target: `tenant:${tenantId}`, details: { slug: tenant.slug } },
      { ...done, event: 'member.added', target: `account:${owner.id}`, details: { role: 'owner' } },
      { ...done, event: 'api_key.created', target: `api_key:${key.row.id}`, details: { scopes: key.row.scopes } },
    ]);
    return tenant;
  }
}

function slugTaken(slug: string): AppError {
  return new AppError('conflict', { message: `The slug ${slug} is taken. Choose another one.` });
}

function unverified(): AppError {
  return new AppError('conflict', {
    message:
      'The e-mail address of this account is not confirmed yet. Open the link in the mail we sent, then open another tenant.',
  });
}

function notTheAccount(): AppError {
  return new AppError('conflict', {
    message:
      'This e-mail address cannot be used with this password. If you have an account, give its password; else use another address.',
  });
}
