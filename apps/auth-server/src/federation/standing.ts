import { refreshTokenGrant } from 'openid-client';
import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { TenantVault, type SealedValue } from '#libs/secrets';
import type { Logger } from '#libs/telemetry';
import type { Admission } from './admission.js';
import { claimsToldBy } from './told-claims.js';
import type { TenantProvider, TenantProviders } from './tenant-providers.js';

/** For so long what a provider said about a person counts, where it lets itself be asked again. */
const COUNTS_MINUTES = 60;
/** After so long a provider that was away is asked again. */
const AGAIN_MINUTES = 5;

/** What asking again rests on. */
export interface StandingParts {
  readonly database: Database;
  readonly masterKey: Secret;
  readonly providers: TenantProviders;
  readonly admission: Pick<Admission, 'admit' | 'recordFailure'>;
  readonly logger: Logger;
}

/** On whose behalf an agent asks for a token, and from where. */
export interface Asking {
  readonly accountId: string;
  readonly clientId: string;
  readonly address: string;
}

/** Somebody whom it is time to ask about. */
interface Due {
  readonly accountId: string;
  readonly subject: string;
  readonly issuer: string;
  readonly sealed: SealedValue;
}

/**
 * Whether people of tenants' providers are still what they were when they signed in. Where a provider gave a refresh
 * token, it is asked with it, at most once an hour for each person and only when an agent of theirs wants a new token;
 * what it says is judged as at a sign-in. A provider that takes the refresh token no more wants the person to sign in
 * again, and until then their agents get nothing. One that is away changes nothing: `sign_in_again_hours` still holds.
 */
export class Standing {
  readonly #vault: TenantVault;

  constructor(private readonly parts: StandingParts) {
    this.#vault = new TenantVault(parts.masterKey);
  }

  /** Keeps what the provider gave to ask again with, sealed; without any, what was kept is forgotten. */
  async remember({ tenantId }: TenantProvider, accountId: string, refreshToken: string | undefined): Promise<void> {
    await this.parts.database.asTenant(tenantId, async (tx) => {
      const sealed =
        refreshToken === undefined
          ? undefined
          : await this.#vault.seal(tx, tenantId, purposeOf(accountId), refreshToken);
      await tx.query(
        `update federated_identities set checked_at = now(), refresh_data_key_id = $3, refresh_ciphertext = $4
         where tenant_id = $1 and account_id = $2`,
        [tenantId, accountId, sealed?.dataKeyId ?? null, sealed?.ciphertext ?? null],
      );
    });
  }

  /** Asks the person's provider where it is time to; what follows from the answer holds when this returns. */
  async check(asking: Asking): Promise<void> {
    const tenantId = await this.#homeOf(asking.accountId);
    const due = tenantId === undefined ? undefined : await this.#takeDue(tenantId, asking.accountId);
    if (tenantId === undefined || due === undefined) return;
    const provider = await this.parts.providers.findByIssuer(tenantId, due.issuer);
    if (provider !== undefined) await this.#ask(provider, due, asking);
  }

  async #ask(provider: TenantProvider, due: Due, { clientId, address }: Asking): Promise<void> {
    const { tenantId } = provider;
    const arrival = { clientId, address, by: 'refresh' } as const;
    try {
      const token = await this.parts.database.asTenant(tenantId, (tx) =>
        this.#vault.open(tx, tenantId, purposeOf(due.accountId), due.sealed),
      );
      const { client } = await this.parts.providers.open(provider);
      const tokens = await refreshTokenGrant(client, token);
      await this.remember(provider, due.accountId, tokens.refresh_token ?? token);
      const claims = await claimsToldBy(this.parts.providers, provider, tokens, due.subject);
      await this.parts.admission.admit(provider, claims, arrival);
    } catch (error) {
      if (isEnded(error)) {
        await this.#end(tenantId, due.accountId);
        const failure = {
          outcome: 'sign-in-ended',
          reason: 'the provider takes the person’s refresh token no more',
        } as const;
        await this.parts.admission.recordFailure(provider, arrival, failure);
        return;
      }
      await this.#askAgainSoon(tenantId, due.accountId);
      this.parts.logger.warn({ err: error, tenant: tenantId, provider: provider.id }, 'a provider could not be asked');
    }
  }

  async #homeOf(accountId: string): Promise<string | undefined> {
    const rows: Array<{ home: string | null }> = await this.parts.database.asService((tx) =>
      tx.query(`select home_tenant_id as home from accounts where id = $1`, [accountId]),
    );
    return rows[0]?.home ?? undefined;
  }

  /** Of several requests at once one gets it: most providers take a refresh token once. */
  async #takeDue(tenantId: string, accountId: string): Promise<Due | undefined> {
    const [rows]: [Array<Due & SealedValue>, number] = await this.parts.database.asTenant(tenantId, (tx) =>
      tx.query(
        `update federated_identities set checked_at = now()
         where tenant_id = $1 and account_id = $2 and refresh_ciphertext is not null
           and checked_at < now() - make_interval(mins => $3)
         returning account_id as "accountId", subject, issuer, refresh_data_key_id as "dataKeyId",
           refresh_ciphertext as ciphertext`,
        [tenantId, accountId, COUNTS_MINUTES],
      ),
    );
    const [row] = rows;
    return row && { ...row, sealed: { dataKeyId: row.dataKeyId, ciphertext: row.ciphertext } };
  }

  async #askAgainSoon(tenantId: string, accountId: string): Promise<void> {
    await this.parts.database.asTenant(tenantId, (tx) =>
      tx.query(
        `update federated_identities set checked_at = now() - make_interval(mins => $3)
         where tenant_id = $1 and account_id = $2`,
        [tenantId, accountId, COUNTS_MINUTES - AGAIN_MINUTES],
      ),
    );
  }

  /** From now on nothing of the person's counts until they sign in again. */
  async #end(tenantId: string, accountId: string): Promise<void> {
    await this.parts.database.asTenant(tenantId, (tx) =>
      tx.query(
        `update federated_identities set signed_in_at = 'epoch', refresh_data_key_id = null, refresh_ciphertext = null
         where tenant_id = $1 and account_id = $2`,
        [tenantId, accountId],
      ),
    );
  }
}

function purposeOf(accountId: string): string {
  return `federated-person:${accountId}`;
}

function isEnded(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'error') === 'invalid_grant';
}
