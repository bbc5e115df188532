import { appendAudit } from '#libs/audit';
import type { Database } from '#libs/database';
import { Rounds } from '#libs/resilience';
import type { Logger } from '#libs/telemetry';
import { PlatformTenantsRepository } from '../platform-tenants/platform-tenants.repository.js';
import { leadsToStore, lookUpOnce, storePorts, type LookUp, type StoreUrls } from './own-stores.js';
import { PlatformEgressRepository, type AllowanceRow } from './platform-egress.repository.js';

const EVERY_MS = 60_000;
const PAGE = 1_000;
/** Allowances that are looked at at once: a name server that is slow holds up so many together. */
const AT_ONCE = 16;
/** The operator that stands for the platform itself. */
const PLATFORM = '00000000-0000-7000-8000-000000000000';
/** Before every id. */
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000';
const REASON = 'it has come to lead to PostgreSQL or Redis of the platform itself';
/** A tenant whose names it is could ask so where our stores are. */
const REASON_TOLD = 'the platform does not allow where it leads now';

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
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: async () => {
      const withdrawn = await this.withdraw();
      if (withdrawn > 0)
        this.logger.warn({ withdrawn }, 'allowances that led to stores of the platform were withdrawn');
    },
    onFailed: (error) => this.logger.warn({ err: error }, 'allowances could not be held against the platform’s stores'),
  });

  constructor(
    private readonly database: Database,
    private readonly stores: StoreUrls,
    private readonly logger: Logger,
  ) {}

  /** Withdraws what leads to a store now, and every minute. */
  start(): void {
    this.#rounds.start();
  }

  /** Ends after the allowances in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Looks once at the ports of the stores, page by page; returns how many allowances were withdrawn. */
  async withdraw(limit = PAGE): Promise<number> {
    const ports = storePorts(this.stores);
    const lookUp = lookUpOnce();
    let withdrawn = 0;
    for (let after: string | undefined = BEFORE_ALL; after !== undefined;) {
      const from: string = after;
      const homes = await this.database.everywhere((tx) =>
        this.#allowances.listOfPorts(tx, { ports, after: from, limit }),
      );
      withdrawn += await this.#withdrawStores(homes.flat(), lookUp);
      if (this.#rounds.signal.aborted) break;
      // Each home goes on where the first of those that have more has ended.
      const ends = homes.flatMap((page) => (page.length < limit ? [] : page.slice(-1)));
      after = ends.map(({ id }) => id).toSorted()[0];
    }
    return withdrawn;
  }

  async #withdrawStores(allowances: readonly TenantAllowance[], lookUp: LookUp): Promise<number> {
    let withdrawn = 0;
    for (let at = 0; at < allowances.length && !this.#rounds.signal.aborted; at += AT_ONCE) {
      const some = allowances.slice(at, at + AT_ONCE);
      const led = await Promise.all(some.map((allowance) => leadsToStore(this.stores, allowance, lookUp)));
      for (const [index, allowance] of some.entries())
        if (led[index] === true) withdrawn += await this.#withdrawFrom(allowance);
    }
    return withdrawn;
  }

  /** One tenant whose database is away keeps nobody else's open. */
  async #withdrawFrom(allowance: TenantAllowance): Promise<number> {
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
          details: { ...opened, port: row.port, reason: REASON_TOLD },
        },
      ]);
      return 1;
    });
  }
}
