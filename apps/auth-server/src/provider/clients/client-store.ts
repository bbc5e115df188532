import type { AdapterPayload } from 'oidc-provider';
import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { tenantOfClient } from '#libs/identity';
import { ArtifactStore } from '../artifacts/artifact-store.js';
import { withHashedSecret } from '../client-proofs/hashed-secrets.js';
import type { TenantClients } from './tenant-clients.js';

/** The provider's clients: those that tenants registered, and those that registered themselves; only hashes of secrets. */
export class ClientStore extends ArtifactStore {
  constructor(
    database: Database,
    masterKey: Secret,
    private readonly tenantClients: TenantClients,
  ) {
    super('Client', database, masterKey);
  }

  override async find(id: string): Promise<AdapterPayload | undefined> {
    if (tenantOfClient(id) !== undefined) return this.tenantClients.find(id);
    const payload = await super.find(id);
    return payload && withHashedSecret(payload);
  }

  override async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    await super.upsert(id, withHashedSecret(payload), expiresInSeconds);
  }
}
