import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { GroupRole } from '#libs/openid';
import type { SealedValue } from '#libs/secrets';

/** What a tenant chooses about a provider. */
export interface ProviderChoices {
  readonly name: string;
  readonly client_id: string;
  readonly scopes: readonly string[];
  readonly email_domains: readonly string[];
  readonly group_claim: string | null;
  readonly group_roles: ReadonlyArray<{ readonly group: string; readonly role: GroupRole }>;
  readonly default_role: GroupRole | null;
  readonly just_in_time: boolean;
  readonly accepts_assertions: boolean;
  readonly sign_in_again_hours: number;
  readonly keys_of_leavers: 'revoke' | 'keep';
}

/** A tenant's OpenID provider as it is stored. */
export interface ProviderRow extends ProviderChoices {
  readonly id: string;
  readonly issuer: string;
  readonly secret_data_key_id: string;
  readonly secret_ciphertext: Buffer;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** A provider to be stored, its secret sealed. */
export interface StoredProvider extends ProviderChoices {
  readonly id: string;
  readonly issuer: string;
  readonly secret: SealedValue;
}

const CHOICES = `name, client_id, scopes, email_domains, group_claim, group_roles, default_role, just_in_time,
  accepts_assertions, sign_in_again_hours, keys_of_leavers, secret_data_key_id, secret_ciphertext`;
const COLUMNS = `id, issuer, created_at, updated_at, ${CHOICES}`;

/** A tenant's OpenID providers. */
@Injectable()
export class IdentityProvidersRepository {
  async list(tx: Transaction, tenantId: string): Promise<ProviderRow[]> {
    return tx.query(`select ${COLUMNS} from identity_providers where tenant_id = $1 order by created_at, id`, [
      tenantId,
    ]);
  }

  /** The provider, kept from changing until the transaction ends. */
  async lock(tx: Transaction, tenantId: string, id: string): Promise<ProviderRow | undefined> {
    const rows: ProviderRow[] = await tx.query(
      `select ${COLUMNS} from identity_providers where tenant_id = $1 and id = $2 for update`,
      [tenantId, id],
    );
    return rows[0];
  }

  /** How many the tenant has; concurrent creations of one tenant wait for each other. */
  async count(tx: Transaction, tenantId: string): Promise<number> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`identity-providers:${tenantId}`]);
    return (await this.list(tx, tenantId)).length;
  }

  async insert(tx: Transaction, tenantId: string, provider: StoredProvider): Promise<void> {
    await tx.query(
      `insert into identity_providers (tenant_id, id, issuer, ${CHOICES})
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
      [tenantId, provider.id, provider.issuer, ...valuesOf(provider)],
    );
  }

  async update(tx: Transaction, tenantId: string, provider: StoredProvider): Promise<void> {
    await tx.query(
      `update identity_providers set (${CHOICES}, updated_at) =
         ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, now()) where tenant_id = $1 and id = $2`,
      [tenantId, provider.id, ...valuesOf(provider)],
    );
  }

  /** Deletes the provider, the membership of its people, and what their agents hold; returns whose. */
  async remove(tx: Transaction, tenantId: string, { id, issuer }: ProviderRow): Promise<string[]> {
    await tx.query(`delete from identity_providers where tenant_id = $1 and id = $2`, [tenantId, id]);
    const [gone]: [Array<{ account_id: string }>, number] = await tx.query(
      `delete from members m using federated_identities f
       where m.tenant_id = $1 and f.tenant_id = $1 and f.issuer = $2 and f.account_id = m.account_id
       returning m.account_id`,
      [tenantId, issuer],
    );
    const accounts = gone.map((row) => row.account_id);
    await tx.query(
      `update grants set revoked_at = now()
       where tenant_id = $1 and account_id = any($2) and revoked_at is null`,
      [tenantId, accounts],
    );
    return accounts;
  }
}

function valuesOf(provider: StoredProvider): unknown[] {
  return [
    provider.name,
    provider.client_id,
    provider.scopes,
    provider.email_domains,
    provider.group_claim,
    JSON.stringify(provider.group_roles),
    provider.default_role,
    provider.just_in_time,
    provider.accepts_assertions,
    provider.sign_in_again_hours,
    provider.keys_of_leavers,
    provider.secret.dataKeyId,
    provider.secret.ciphertext,
  ];
}
