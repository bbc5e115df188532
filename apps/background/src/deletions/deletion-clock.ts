import { Rounds } from '#libs/resilience';
import type { Logger } from '#libs/telemetry';
import type { Database } from '#libs/database';
import { askReturn, findDueDeletions, isAtHome, isHeld } from './deletions.repository.js';
import type { DeleteTenant } from './delete-tenant.js';

const EVERY_MS = 15_000;
const TENANTS_MAX = 100;

/** Looks for tenants that are served here and whose grace period is over, and deletes them one after another. */
export class DeletionClock {
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: () => this.sweep(),
    onFailed: (error) => this.logger.warn({ err: error }, 'tenants that are to be deleted were not found'),
  });

  constructor(
    private readonly database: Database,
    private readonly deleting: Pick<DeleteTenant, 'advance'>,
    private readonly logger: Logger,
    private readonly region: string | undefined = undefined,
  ) {}

  start(): void {
    this.#rounds.start();
  }

  /** Ends after the batch in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** A tenant goes with its accounts, its name and its receipt, which are in the common database: it is moved back there first. */
  async #due(): Promise<Array<{ tenant_id: string }>> {
    const [common = [], ...dedicated] = await this.database.everywhere((tx) => findDueDeletions(tx, TENANTS_MAX));
    for (const { tenant_id: tenantId } of dedicated.flat()) {
      try {
        if (await this.#bringBack(tenantId))
          this.logger.info({ tenant_id: tenantId }, 'a tenant returns to be deleted');
      } catch (error) {
        this.logger.warn(
          { err: error, tenant_id: tenantId },
          'a tenant that is to be deleted could not be asked back yet',
        );
      }
    }
    return common;
  }

  async #bringBack(tenantId: string): Promise<boolean> {
    const isFree = await this.database.asTenant(
      tenantId,
      async (tx) => (await isAtHome(tx, tenantId, this.region)) && !(await isHeld(tx, tenantId)),
    );
    return isFree && (await this.database.asService((tx) => askReturn(tx, tenantId)));
  }

  /** Deletes what is due, as far as it can be now; returns how many tenants are gone. */
  async sweep(): Promise<number> {
    let gone = 0;
    for (const { tenant_id: tenantId } of await this.#due()) {
      try {
        if (!(await this.database.asTenant(tenantId, (tx) => isAtHome(tx, tenantId, this.region)))) continue;
        let progress = 'more';
        while (progress === 'more' && !this.#rounds.signal.aborted) progress = await this.deleting.advance(tenantId);
        if (progress !== 'gone') continue;
        gone += 1;
        this.logger.info({ tenant_id: tenantId }, 'a tenant was deleted');
      } catch (error) {
        // One tenant's trouble is not another's; it is tried again.
        this.logger.error({ err: error, tenant_id: tenantId }, 'a tenant could not be deleted yet');
      }
    }
    return gone;
  }
}
