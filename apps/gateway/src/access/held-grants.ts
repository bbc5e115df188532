import type { Database } from '#libs/database';
import { FreshCache, type TenantOwned } from '../routing/fresh-cache.js';

const GRANTS_MAX = 20_000;

/** Which grants are held, by their tenant and id; forgotten when that tenant's rows change, as a revocation does. */
export class HeldGrants {
  readonly #held: FreshCache<TenantOwned>;

  constructor(
    private readonly database: Database,
    hearing: () => boolean,
  ) {
    this.#held = new FreshCache({ entriesMax: GRANTS_MAX, hearing });
  }

  /** Whether a grant of this tenant exists and is not revoked. */
  async holds(tenantId: string, id: string): Promise<boolean> {
    const held = await this.#held.get(`${tenantId}|${id}`, async () => {
      const rows: unknown[] = await this.database.asTenant(tenantId, (tx) =>
        tx.query(`select 1 from grants where tenant_id = $1 and id = $2 and revoked_at is null`, [tenantId, id]),
      );
      return rows.length > 0 ? { tenantId } : undefined;
    });
    return held !== undefined;
  }

  /** Forgets a tenant's grants, or all with `*`. */
  forget(tenantId: string): void {
    this.#held.forget(tenantId);
  }
}
