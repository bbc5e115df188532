import type { Logger } from '#libs/telemetry';
import type { Database } from '#libs/database';
import { findDueDeletions } from './deletions.repository.js';
import type { DeleteTenant } from './delete-tenant.js';

const EVERY_MS = 15_000;
const TENANTS_MAX = 100;

/** Looks for tenants whose grace period is over, and deletes them one after another. */
export class DeletionClock {
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly deleting: Pick<DeleteTenant, 'advance'>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    const run = (): void => {
      this.#working = this.#working
        .then(() => this.sweep())
        .catch((error: unknown) => this.logger.warn({ err: error }, 'tenants that are to be deleted were not found'));
    };
    run();
    this.#timer = setInterval(run, EVERY_MS);
    this.#timer.unref();
  }

  /** Ends after the batch in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#working;
  }

  /** Deletes what is due, as far as it can be now; returns how many tenants are gone. */
  async sweep(): Promise<number> {
    let gone = 0;
    for (const { tenant_id: tenantId } of await this.database.asService((tx) => findDueDeletions(tx, TENANTS_MAX))) {
      try {
        let progress = 'more';
        while (progress === 'more' && !this.#stopped) progress = await this.deleting.advance(tenantId);
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
