import { appendAudit, type AuditEntry } from '#libs/audit';
import type { Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

/** A complete entry on its way to the database. */
export interface Shipment {
  readonly tenantId: string;
  /** As it is when it is next tried. */
  entry: AuditEntry;
  /** Called when it has arrived. */
  readonly arrived: () => void | Promise<void>;
}

/** How soon a shipment goes: with what gathers, or before all others because a reply waits for it. */
export type Haste = 'gathered' | 'at-once';

const BATCH_MAX = 500;
const GATHER_MS = 200;
const RETRY_MS = 2_000;
const FOREIGN_KEY_VIOLATION = '23503';

/** Brings entries to their tenants' audit logs in batches; what the database does not take is tried again. */
export class Shipper {
  #waiting: Shipment[] = [];
  #hasty: Shipment[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, from `performance.now()`. */
  #dueMs = Infinity;
  #shipping: Promise<void> | undefined;
  #failing = false;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
    /** Hears of every batch that has arrived. */
    private readonly onArrival: () => void,
  ) {}

  /** Entries that have not arrived. */
  get waiting(): number {
    return this.#waiting.length + this.#hasty.length;
  }

  /** Whether the database did not take the last batch. */
  get failing(): boolean {
    return this.#failing;
  }

  /** Takes an entry along with the next batch. */
  add(shipment: Shipment, haste: Haste = 'gathered'): void {
    (haste === 'at-once' ? this.#hasty : this.#waiting).push(shipment);
    this.#shipLater(haste === 'gathered' ? GATHER_MS : this.#failing ? RETRY_MS : 0);
  }

  /** Ships what waits now, once; what does not arrive stays in the spool. */
  async flush(): Promise<void> {
    this.#stopTimer();
    await this.#shipping;
    await this.#start();
    this.#stopTimer();
  }

  #shipLater(ms: number): void {
    const dueMs = performance.now() + ms;
    if (dueMs >= this.#dueMs) return;
    this.#stopTimer();
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#stopTimer();
      void this.#start();
    }, ms);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#dueMs = Infinity;
  }

  /** Ships until nothing waits; what comes meanwhile goes along. */
  #start(): Promise<void> {
    this.#shipping ??= this.#ship().finally(() => {
      this.#shipping = undefined;
    });
    return this.#shipping;
  }

  async #ship(): Promise<void> {
    while (this.waiting > 0) {
      const hasty = this.#hasty.splice(0, BATCH_MAX);
      const batch = hasty.length > 0 ? hasty : this.#waiting.splice(0, BATCH_MAX);
      const kept = await this.#shipBatch(batch);
      this.#failing = kept.length > 0;
      if (kept.length < batch.length) this.onArrival();
      if (!this.#failing) continue;
      this.#waiting.unshift(...kept);
      this.#shipLater(RETRY_MS);
      return;
    }
  }

  /** Returns what must be tried again. */
  async #shipBatch(batch: readonly Shipment[]): Promise<Shipment[]> {
    const kept: Shipment[] = [];
    for (const [tenantId, shipments] of Map.groupBy(batch, (shipment) => shipment.tenantId)) {
      if (await this.#shipTenant(tenantId, shipments)) {
        await Promise.all(shipments.map((shipment) => shipment.arrived()).filter((arriving) => arriving !== undefined));
      } else {
        kept.push(...shipments);
      }
    }
    return kept;
  }

  async #shipTenant(tenantId: string, shipments: readonly Shipment[]): Promise<boolean> {
    const entries = shipments.map((shipment) => shipment.entry);
    try {
      await this.database.asTenant(tenantId, async (tx) => {
        await appendAudit(tx, tenantId, entries);
        for (const [keyId, at] of keyUses(entries)) {
          await tx.query(
            `update api_keys set last_used_at = greatest(last_used_at, $3) where tenant_id = $1 and id = $2`,
            [tenantId, keyId, at],
          );
        }
      });
      return true;
    } catch (error) {
      this.logger.error(
        { tenant_id: tenantId, records: entries.length, cause: String(error) },
        'audit records were not taken',
      );
      return isGone(error);
    }
  }
}

function keyUses(entries: readonly AuditEntry[]): Map<string, Date> {
  const uses = entries.filter((entry) => entry.event === 'api_key.used');
  return new Map(uses.map((entry) => [entry.target.replace('api_key:', ''), entry.at ?? new Date()]));
}

/** Whether the tenant itself does not exist any more, so that nobody is left to keep a log for. */
function isGone(error: unknown): boolean {
  return (error as { driverError?: { code?: string } } | null)?.driverError?.code === FOREIGN_KEY_VIOLATION;
}
