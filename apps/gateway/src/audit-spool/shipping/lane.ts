import type { AuditEntry } from '#libs/audit';

/** A complete entry on its way to the database. */
export interface Shipment {
  readonly tenantId: string;
  /** As it is when it is next tried. */
  entry: AuditEntry;
  /** Called when it has arrived, with what is stored of it; undefined where an earlier form may be stored instead. */
  readonly arrived: (stored: AuditEntry | undefined) => void | Promise<void>;
}

/** How soon a shipment goes: with what gathers, or before all others because a reply waits for it. */
export type Haste = 'gathered' | 'at-once';

/** A shipment that waits. */
export interface Parcel {
  readonly shipment: Shipment;
  readonly sinceMs: number;
  /** What may have been stored already, by a try of which nobody heard how it ended. */
  perhaps?: AuditEntry;
}

const BATCH_MAX = 500;

/** What waits of one tenant, and how its last batch fared. */
export class Lane {
  readonly #queues: Readonly<Record<Haste, Parcel[]>> = { 'at-once': [], gathered: [] };
  #batchMax = BATCH_MAX;
  /** The database did not take the last batch. */
  failing = false;
  /** Not tried before this, from `performance.now()`. */
  heldUntilMs = 0;

  constructor(
    readonly tenantId: string,
    /** Hears how many entries have arrived. */
    private readonly onArrival: (parcels: number) => unknown,
  ) {}

  get waiting(): number {
    return this.#queues['at-once'].length + this.#queues.gathered.length;
  }

  /** Whether a reply waits for one of its entries. */
  get urgent(): boolean {
    return this.#queues['at-once'].length > 0;
  }

  /** Since when its oldest entry waits, from `performance.now()`. */
  get sinceMs(): number {
    return Math.min(...Object.values(this.#queues).map(([first]) => first?.sinceMs ?? Infinity));
  }

  /** Takes a shipment in. */
  add(shipment: Shipment, haste: Haste): void {
    this.#queues[haste].push({ shipment, sinceMs: performance.now() });
  }

  /** What goes next; it waits on until it is dropped. */
  next(): { readonly haste: Haste; readonly parcels: readonly Parcel[] } {
    const haste = this.urgent ? 'at-once' : 'gathered';
    return { haste, parcels: this.#queues[haste].slice(0, this.#batchMax) };
  }

  /** Lets go of the first ones, which have arrived. */
  drop(haste: Haste, parcels: number): void {
    this.#queues[haste].splice(0, parcels);
    this.onArrival(parcels);
  }

  /** A batch was stored: the next ones may be large. */
  grow(): void {
    this.#batchMax = BATCH_MAX;
  }

  /** A batch took too long: the next one is smaller. */
  shrink(): void {
    this.#batchMax = Math.max(1, Math.floor(this.#batchMax / 2));
  }
}
