import { LRUCache } from 'lru-cache';
import type { Database } from '#libs/database';
import { FreshCache, type TenantOwned } from '../routing/fresh-cache.js';

/** A tenant's API key as far as calls need it. */
export interface KnownApiKey extends TenantOwned {
  readonly keyId: string;
  readonly scopes: readonly string[];
  /** Epoch milliseconds. */
  readonly expiresAtMs: number | undefined;
}

const KEYS_MAX = 20_000;
const GOOD_LATELY_MS = 10 * 60_000;

/** Valid API keys by their hash, looked up among their own tenant's keys and forgotten when that tenant's rows change. */
export class ApiKeys {
  readonly #known: FreshCache<KnownApiKey>;
  /** Outlives what is known: nobody else's mistakes hold a good key up because a row of its tenant changed. Proves nothing. */
  readonly #goodLately = new LRUCache<string, true>({ max: KEYS_MAX, ttl: GOOD_LATELY_MS });

  constructor(
    private readonly database: Database,
    hearing: () => boolean,
  ) {
    this.#known = new FreshCache({ entriesMax: KEYS_MAX, hearing });
  }

  /** As `find`, but only among the keys that were used here a moment ago. */
  peek(tenantId: string, hash: string): KnownApiKey | undefined {
    return unexpired(this.#known.peek(cacheKey(tenantId, hash)));
  }

  /** The tenant's key with this hash, where it is neither revoked nor expired. */
  async find(tenantId: string, hash: string): Promise<KnownApiKey | undefined> {
    const name = cacheKey(tenantId, hash);
    const key = unexpired(await this.#known.get(name, () => findApiKey(this.database, tenantId, hash)));
    if (key === undefined) this.#goodLately.delete(name);
    else this.#goodLately.set(name, true);
    return key;
  }

  /** Whether the key was good when it was last looked up here, ten minutes ago at most; it may be revoked since. */
  wasGood(tenantId: string, hash: string): boolean {
    return this.#goodLately.has(cacheKey(tenantId, hash));
  }

  /** Forgets a tenant's keys, or all with `*`. */
  forget(tenantId: string): void {
    this.#known.forget(tenantId);
  }
}

function cacheKey(tenantId: string, hash: string): string {
  return `${tenantId}|${hash}`;
}

function unexpired(key: KnownApiKey | undefined): KnownApiKey | undefined {
  return key !== undefined && (key.expiresAtMs ?? Infinity) > Date.now() ? key : undefined;
}

async function findApiKey(database: Database, tenantId: string, hash: string): Promise<KnownApiKey | undefined> {
  const rows: Array<{ id: string; scopes: string[]; expires_at: Date | null }> = await database.asTenant(
    tenantId,
    (tx) =>
      tx.query(
        `select id, scopes, expires_at from api_keys where tenant_id = $1 and key_hash = $2 and revoked_at is null`,
        [tenantId, hash],
      ),
  );
  const [row] = rows;
  return row && { tenantId, keyId: row.id, scopes: row.scopes, expiresAtMs: row.expires_at?.getTime() };
}
