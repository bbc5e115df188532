import { LRUCache } from 'lru-cache';
import type { Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

const EVERY_MS = 5_000;
const MINUTE_MS = 60_000;
const GRANTS_MAX = 20_000;

/** A later use that is written already stays: several gateways note the same grants. */
const WRITE = `
update grants g set last_used_at = greatest(g.last_used_at, used.at)
from jsonb_to_recordset($2::jsonb) as used (id text, at timestamptz)
where g.tenant_id = $1 and g.id = used.id`;

interface Use {
  readonly tenantId: string;
  readonly id: string;
  readonly at: Date;
}

/**
 * When agents last used what they hold: noted by calls at most once a minute for each grant, and written every five
 * seconds, away from them.
 */
export class GrantUses {
  readonly #noted = new LRUCache<string, true>({ max: GRANTS_MAX, ttl: MINUTE_MS, noUpdateTTL: true });
  readonly #timer: NodeJS.Timeout;
  #pending: Use[] = [];
  #writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {
    this.#timer = setInterval(() => void this.flush(), EVERY_MS).unref();
  }

  /** A token of this grant was let in now. */
  note(tenantId: string, id: string): void {
    const key = `${tenantId}|${id}`;
    if (this.#noted.has(key) || this.#pending.length >= GRANTS_MAX) return;
    this.#noted.set(key, true);
    this.#pending.push({ tenantId, id, at: new Date() });
  }

  /** Writes what was noted; what cannot be written is noted by a later call. Never throws. */
  flush(): Promise<void> {
    this.#writing = this.#writing.then(() => {
      const uses = this.#pending;
      this.#pending = [];
      return this.#write(uses);
    });
    return this.#writing;
  }

  /** Writes the rest and stops. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #write(uses: readonly Use[]): Promise<void> {
    for (const [tenantId, own] of Map.groupBy(uses, (use) => use.tenantId)) {
      try {
        const records = JSON.stringify(own.map(({ id, at }) => ({ id, at })));
        await this.database.asTenant(tenantId, (tx) => tx.query(WRITE, [tenantId, records]));
      } catch (error) {
        this.logger.warn({ tenant_id: tenantId, cause: String(error) }, 'uses of grants could not be written');
      }
    }
  }
}
