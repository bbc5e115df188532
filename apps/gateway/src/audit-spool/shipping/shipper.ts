import type { Database } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import { BatchWriter } from './batch-writer.js';
import { Lane, type Haste, type Shipment } from './lane.js';
import type { Reception } from './reception.js';

const GATHER_MS = 200;
const RETRY_MS = 2_000;

/** Where entries go, and who hears of it. */
export interface ShipperParts {
  readonly database: Pick<Database, 'asTenant'>;
  readonly logger: Logger;
  /** How long a statement may take for entries that replies wait for, in milliseconds. */
  readonly atOnceMs: number;
  /** Hears of every batch that has arrived. */
  readonly onArrival: () => void;
}

/**
 * Brings entries to their tenants' audit logs in batches; what the database does not take is tried again. Tenants do not
 * wait for each other's failures, except where the database is away for all of them.
 */
export class Shipper {
  /** Of tenants for whom something waits; the next to go first. */
  readonly #lanes = new Map<string, Lane>();
  readonly #urgent = new Set<Lane>();
  readonly #writer: BatchWriter;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires, from `performance.now()`. */
  #dueMs = Infinity;
  #shipping: Promise<void> | undefined;
  #away = false;
  /** Whose batch took too long, since one last arrived: of one tenant this says nothing of the others. */
  #slow: Lane | undefined;
  readonly #count = { added: 0, arrived: 0 };

  constructor(private readonly parts: ShipperParts) {
    this.#writer = new BatchWriter(parts.database, parts.logger, parts.atOnceMs);
  }

  /** Entries that have not arrived. */
  get waiting(): number {
    return this.#count.added - this.#count.arrived;
  }

  /** How long the oldest of them has waited. */
  get oldestMs(): number {
    let sinceMs = performance.now();
    const now = sinceMs;
    for (const lane of this.#lanes.values()) sinceMs = Math.min(sinceMs, lane.sinceMs);
    return now - sinceMs;
  }

  /** Whether the database did not take a tenant's last batch, or takes none. */
  failing(tenantId: string): boolean {
    return this.#away || this.#lanes.get(tenantId)?.failing === true;
  }

  /** Takes an entry along with the next batch. */
  add(shipment: Shipment, haste: Haste = 'gathered'): void {
    const { tenantId } = shipment;
    const lane = this.#lanes.get(tenantId) ?? new Lane(tenantId, (arrived) => (this.#count.arrived += arrived));
    this.#lanes.set(tenantId, lane);
    lane.add(shipment, haste);
    this.#count.added += 1;
    if (lane.urgent) this.#urgent.add(lane);
    this.#shipLater(this.failing(tenantId) ? RETRY_MS : haste === 'gathered' ? GATHER_MS : 0);
  }

  /** Ships what waits now, once; what does not arrive stays in the spool. */
  async flush(): Promise<void> {
    this.#stopTimer();
    await this.#shipping;
    for (const lane of this.#lanes.values()) lane.heldUntilMs = 0;
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

  /** Ships until nothing waits that may be tried; what comes meanwhile goes along. */
  #start(): Promise<void> {
    this.#shipping ??= this.#ship().finally(() => {
      this.#shipping = undefined;
    });
    return this.#shipping;
  }

  async #ship(): Promise<void> {
    for (let lane = this.#next(); lane !== undefined; lane = this.#next()) {
      const before = this.#count.arrived;
      const reception = await this.#writer.write(lane);
      if (this.#count.arrived > before) this.#heardFrom();
      this.#judge(lane, reception);
      this.#queueAgain(lane);
      if (this.#away) break;
    }
    if (this.waiting > 0) this.#shipLater(RETRY_MS);
  }

  #heardFrom(): void {
    this.#away = false;
    this.#slow = undefined;
    this.parts.onArrival();
  }

  #judge(lane: Lane, reception: Reception): void {
    lane.failing = reception !== 'took';
    if (reception === 'took') return lane.grow();
    if (reception === 'away') this.#away = true;
    else lane.heldUntilMs = performance.now() + RETRY_MS;
    if (reception !== 'busy') return;
    lane.shrink();
    if (this.#slow !== undefined && this.#slow !== lane) this.#away = true;
    this.#slow = lane;
  }

  /** Behind the others, where something of it still waits. */
  #queueAgain(lane: Lane): void {
    this.#lanes.delete(lane.tenantId);
    this.#urgent.delete(lane);
    if (lane.waiting > 0) this.#lanes.set(lane.tenantId, lane);
    if (lane.urgent) this.#urgent.add(lane);
  }

  #next(): Lane | undefined {
    const now = performance.now();
    return firstDue(this.#urgent, now) ?? firstDue(this.#lanes.values(), now);
  }
}

function firstDue(lanes: Iterable<Lane>, now: number): Lane | undefined {
  for (const lane of lanes) if (lane.heldUntilMs <= now) return lane;
  return undefined;
}
