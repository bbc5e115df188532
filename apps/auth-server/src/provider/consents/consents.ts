import type { Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { ArtifactStore, hashId } from '../artifacts/artifact-store.js';

const KEPT_SECONDS = 180 * 24 * 60 * 60;

/** Who let whom act for them where. */
export interface ConsentKey {
  readonly accountId: string;
  readonly clientId: string;
  readonly resource: string;
}

/** What somebody allowed, and what they were told about being passed on to other servers when they did. */
export interface Consented {
  readonly scopes: readonly string[];
  readonly told: readonly string[];
}

/** What people have allowed, remembered for 180 days apart from the grants that tokens hang on. */
export class Consents {
  readonly #store: ArtifactStore;

  constructor(database: Database, masterKey: Secret) {
    this.#store = new ArtifactStore('Consent', database, masterKey);
  }

  /** What was allowed; nothing where nothing is remembered. */
  async find(key: ConsentKey): Promise<Consented> {
    const payload = await this.#store.find(idOf(key));
    const told: unknown = payload?.['told'];
    return {
      scopes: payload?.scope?.split(' ') ?? [],
      told: typeof told === 'string' && told !== '' ? told.split(' ') : [],
    };
  }

  async remember(key: ConsentKey, { scopes, told }: Consented): Promise<void> {
    await this.#store.upsert(idOf(key), { scope: scopes.join(' '), told: told.join(' ') }, KEPT_SECONDS);
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
