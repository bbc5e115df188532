import type { Database } from '#libs/database';
import { FreshCache, type TenantOwned } from '../routing/fresh-cache.js';

const PEOPLE_MAX = 20_000;

/** What a person is at a tenant. */
export interface Membership {
  readonly role: string;
  readonly groups: readonly string[];
}

interface Held extends TenantOwned, Membership {}

/** What people are at their tenants, for rules that ask; forgotten when that tenant's rows change. */
export class Memberships {
  readonly #held: FreshCache<Held>;

  constructor(
    private readonly database: Database,
    hearing: () => boolean,
  ) {
    this.#held = new FreshCache({ entriesMax: PEOPLE_MAX, hearing });
  }

  /** The membership of a person, or undefined for one who is no member. */
  find(tenantId: string, accountId: string): Promise<Membership | undefined> {
    return this.#held.get(`${tenantId}|${accountId}`, async () => {
      const rows: Membership[] = await this.database.asTenant(tenantId, (tx) =>
        tx.query(`select role, groups from members where tenant_id = $1 and account_id = $2::uuid`, [
          tenantId,
          accountId,
        ]),
      );
      const [row] = rows;
      return row && { tenantId, role: row.role, groups: row.groups };
    });
  }

  /** Forgets a tenant's people, or all with `*`. */
  forget(tenantId: string): void {
    this.#held.forget(tenantId);
  }
}
