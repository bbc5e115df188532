import type { Database } from '#libs/database';
import { FreshCache, type TenantOwned } from '../routing/fresh-cache.js';

const CLIENTS_MAX = 20_000;

/** Which clients of tenants are there and enabled, by tenant and id; forgotten when that tenant's rows change. */
export class HeldClients {
  readonly #held: FreshCache<TenantOwned>;

  constructor(
    private readonly database: Database,
    hearing: () => boolean,
  ) {
    this.#held = new FreshCache({ entriesMax: CLIENTS_MAX, hearing });
  }

  /** Whether a client of this tenant exists and is enabled. */
  async holds(tenantId: string, id: string): Promise<boolean> {
    const held = await this.#held.get(`${tenantId}|${id}`, async () => {
      const rows: unknown[] = await this.database.asTenant(tenantId, (tx) =>
        tx.query(`select 1 from clients where tenant_id = $1 and id = $2 and enabled`, [tenantId, id]),
      );
      return rows.length > 0 ? { tenantId } : undefined;
    });
    return held !== undefined;
  }

  /** Forgets a tenant's clients, or all with `*`. */
  forget(tenantId: string): void {
    this.#held.forget(tenantId);
  }
}
