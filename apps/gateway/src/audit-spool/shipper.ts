import { appendAudit, type AuditEntry } from '#libs/audit';
import type { Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';

/** A complete entry on its way to the database. */
export interface Shipment {
  readonly tenantId: string;
  readonly entry: AuditEntry;
  /** Called when it has arrived. */
  readonly arrived: () => void | Promise<void>;
}

const BATCH_MAX = 500;
const GATHER_MS = 200;
const RETRY_MS = 2_000;
const FOREIGN_KEY_VIOLATION = '23503';

/** Brings entries to their tenants' audit logs in batches; what the database does not take is tried again. */
export class Shipper {
  #waiting: Shipment[] = [];
  #timer: NodeJS.Timeout | undefined;
  #shipping: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  /** Entries that have not arrived. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes an entry along with the next batch. */
  add(shipment: Shipment): void {
    this.#waiting.push(shipment);
    this.#shipLater(GATHER_MS);
  }

  /** Ships what waits now, once; what does not arrive stays in the spool. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#shipping;
    await this.#ship();
    clearTimeout(this.#timer);
  }

  #shipLater(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#shipping = this.#ship();
    }, ms);
  }

  async #ship(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH_MAX);
      this.#waiting = this.#waiting.slice(BATCH_MAX);
      const kept = await this.#shipBatch(batch);
      if (kept.length === 0) continue;
      this.#waiting = [...kept, ...this.#waiting];
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
