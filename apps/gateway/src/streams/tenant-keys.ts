import { LRUCache } from 'lru-cache';
import type { Database } from '#libs/database';
import type { DerivedKeys, TenantVault } from '#libs/secrets';

const TRUSTED_MS = 600_000;
const TENANTS_MAX = 10_000;

/**
 * Keys for what a gateway puts into Redis, one for each tenant and purpose, derived from the tenant's data keys. What was
 * sealed before the data key was replaced opens until it ends by itself; the key is kept for longer than that.
 */
export class TenantKeys {
  /** By tenant, and by purpose. */
  readonly #keys = new LRUCache<string, Map<string, Promise<DerivedKeys>>>({ max: TENANTS_MAX, ttl: TRUSTED_MS });

  constructor(
    private readonly database: Database,
    private readonly vault: TenantVault,
  ) {}

  /** The keys of a tenant for a purpose; its data key is made where there is none yet. */
  get(tenantId: string, purpose: string): Promise<DerivedKeys> {
    const keys = this.#keys.get(tenantId) ?? new Map<string, Promise<DerivedKeys>>();
    const known = keys.get(purpose);
    if (known !== undefined) return known;
    const loading = this.#load(tenantId, purpose);
    keys.set(purpose, loading);
    if (keys.size === 1) this.#keys.set(tenantId, keys);
    loading.catch(() => keys.delete(purpose));
    return loading;
  }

  /** Forgets a tenant's keys, or all of them for `*`. */
  forget(tenantId: string): void {
    if (tenantId === '*') this.#keys.clear();
    else this.#keys.delete(tenantId);
  }

  #load(tenantId: string, purpose: string): Promise<DerivedKeys> {
    return this.database.asTenant(tenantId, async (tx) => {
      const found = await this.vault.findDerivedKeys(tx, tenantId, purpose);
      if (found !== undefined) return found;
      await this.vault.provideKey(tx, tenantId);
      const made = await this.vault.findDerivedKeys(tx, tenantId, purpose);
      if (made === undefined) throw new Error('the tenant has no data key');
      return made;
    });
  }
}
