import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { ArtifactStore, hashId } from './artifact-store.js';

const KEPT_SECONDS = 180 * 24 * 60 * 60;

/** Who let whom act for them where. */
export interface ConsentKey {
  readonly accountId: string;
  readonly clientId: string;
  readonly resource: string;
}

/** What people have allowed, remembered for 180 days apart from the grants that tokens hang on. */
export class Consents {
  readonly #store: ArtifactStore;

  constructor(database: Database, masterKey: Secret) {
    this.#store = new ArtifactStore('Consent', database, masterKey);
  }

  /** The scopes that were allowed; none where nothing is remembered. */
  async find(key: ConsentKey): Promise<readonly string[]> {
    const payload = await this.#store.find(idOf(key));
    return payload?.scope?.split(' ') ?? [];
  }

  async remember(key: ConsentKey, scopes: readonly string[]): Promise<void> {
    await this.#store.upsert(idOf(key), { scope: scopes.join(' ') }, KEPT_SECONDS);
  }

  /** From now on the person is asked again. */
  async forget(key: ConsentKey): Promise<void> {
    await this.#store.destroy(idOf(key));
  }
}

/** What stands on the provider's grants for who may act for whom where. */
export function agentHashOf({ accountId, clientId, resource }: ConsentKey): string {
  return hashId(idOf({ accountId, clientId, resource }));
}

function idOf({ accountId, clientId, resource }: ConsentKey): string {
  return JSON.stringify([accountId, clientId, resource]);
}
