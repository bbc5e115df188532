import { appendAudit } from '#libs/audit';
import { BatchSweep, type Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import { PlatformTenantsRepository } from '../platform-tenants/platform-tenants.repository.js';
import { leadsToStore, storePorts, type StoreUrls } from './own-stores.js';
import { PlatformEgressRepository, type AllowanceRow } from './platform-egress.repository.js';

const EVERY_MS = 60_000;
/** The operator that stands for the platform itself. */
const PLATFORM = '00000000-0000-7000-8000-000000000000';
/** Before every id. */
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';
const REASON = 'it has come to lead to PostgreSQL or Redis of the platform itself';

interface TenantAllowance extends AllowanceRow {
  readonly tenant_id: string;
}

/**
 * Withdraws allowances that lead to a store of the platform: none is made that does, but stores move, and names come to mean
 * other addresses. Both logs say so. Where a store was moved into a range that a tenant needs, the range is opened anew in
 * parts that leave the store out.
 */
export class StoreGuard {
  readonly #allowances = new PlatformEgressRepository();
  readonly #tenants = new PlatformTenantsRepository();

  constructor(
    private readonly database: Database,
    private readonly stores: StoreUrls,
    private readonly logger: Logger,
  ) {}

  /** Looks at the ports of the stores alone, page by page; returns how many were withdrawn. */
  async withdraw(limit: number): Promise<number> {
    const ports = storePorts(this.stores);
    let withdrawn = 0;
    for (let after: string | undefined = BEFORE_ALL; after !== undefined;) {
      const from: string = after;
      const homes = await this.database.everywhere((tx) =>
        this.#allowances.listOfPorts(tx, { ports, after: from, limit }),
      );
      for (const allowance of homes.flat()) withdrawn += await this.#withdrawIfStore(allowance);
      // Each home goes on where the first of those that have more has ended.
      const ends = homes.flatMap((page) => (page.length < limit ? [] : page.slice(-1)));
      after = ends.map(({ id }) => id).toSorted()[0];
    }
    return withdrawn;
  }

  /** One tenant whose database is away keeps nobody else's open. */
  async #withdrawIfStore(allowance: TenantAllowance): Promise<number> {
    if (!(await leadsToStore(this.stores, allowance))) return 0;
    try {
      return await this.#withdraw(allowance);
    } catch (error) {
      const { id, tenant_id: tenantId } = allowance;
      this.logger.error(
        { err: error, id, tenantId },
        'an allowance leads to a store of the platform and is still open',
      );
      return 0;
    }
  }

  async #withdraw({ tenant_id: tenantId, id }: TenantAllowance): Promise<number> {
    const act = { operatorId: PLATFORM, action: 'egress_allowances.remove', reason: REASON, tenantId, details: { id } };
    return this.database.asOperator(act, async (tx, note) => {
      await this.#tenants.enter(tx, tenantId);
      const row = await this.#allowances.remove(tx, tenantId, id);
      if (row === undefined) {
        note.unchanged();
        return 0;
      }
      const opened = row.host === null ? { range: row.range } : { host: row.host };
      await appendAudit(tx, tenantId, [
        {
          event: 'egress_allowance.removed',
          actor: { kind: 'system', id: 'control-plane' },
          target: `egress_allowance:${id}`,
          outcome: 'ok',
          details: { ...opened, port: row.port, reason: REASON },
        },
      ]);
      return 1;
    });
  }
}

/** Withdraws what leads to a store of the platform, now and every minute. */
export function storeGuard(database: Database, stores: StoreUrls, logger: Logger): BatchSweep {
  const guard = new StoreGuard(database, stores, logger);
  return new BatchSweep({
    everyMs: EVERY_MS,
    deleteBatch: (limit) => guard.withdraw(limit),
    onSwept: (withdrawn) => logger.warn({ withdrawn }, 'allowances that led to stores of the platform were withdrawn'),
    onFailed: (error) => logger.warn({ err: error }, 'allowances could not be held against the platform’s stores'),
  });
}
