import { newId } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import type { DetailsOf } from '#libs/audit';
import type { SpooledEntry, OpenRecord } from './records.js';

/** A time in which a tenant's calls could not be recorded. */
interface Gap {
  readonly entry: SpooledEntry;
  /** Its record, on disk although the spool is full, so that a crash does not hide it; undefined where the disk fails. */
  readonly record: Promise<OpenRecord | undefined>;
  callsRefused: number;
  notesDropped: number;
}

const TENANTS_MAX = 10_000;

/**
 * Marks in each tenant's log from when to when calls could not be recorded, and what was refused and lost meanwhile. A
 * gap whose process ended with it is `interrupted`: how much was lost is not known.
 */
export class Gaps {
  readonly #open = new Map<string, Gap>();

  constructor(
    private readonly intend: (entry: SpooledEntry) => Promise<OpenRecord>,
    private readonly logger: Logger,
  ) {}

  /** How many tenants have one now. */
  get size(): number {
    return this.#open.size;
  }

  /** Counts a call that was refused because it could not be recorded. */
  callRefused(tenantId: string): void {
    const gap = this.#of(tenantId);
    if (gap !== undefined) gap.callsRefused += 1;
  }

  /** Counts an entry that was lost. */
  noteDropped(tenantId: string): void {
    const gap = this.#of(tenantId);
    if (gap !== undefined) gap.notesDropped += 1;
  }

  /** Ends every gap; one that still cannot be written stays open. */
  async close(): Promise<void> {
    const gaps = [...this.#open];
    this.#open.clear();
    await Promise.all(gaps.map(([tenantId, gap]) => this.#close(tenantId, gap)));
  }

  async #close(tenantId: string, gap: Gap): Promise<void> {
    const record = (await gap.record) ?? (await this.#write(gap.entry));
    if (record === undefined) {
      if (!this.#open.has(tenantId)) this.#open.set(tenantId, gap);
      return;
    }
    const details: DetailsOf<'audit.gap'> = {
      until: new Date().toISOString(),
      calls_refused: gap.callsRefused,
      notes_dropped: gap.notesDropped,
    };
    await record.end({ outcome: 'ok', details });
  }

  #of(tenantId: string): Gap | undefined {
    const known = this.#open.get(tenantId);
    if (known !== undefined || this.#open.size >= TENANTS_MAX) return known;
    this.logger.error({ tenant_id: tenantId }, 'calls cannot be recorded and are refused');
    const entry: SpooledEntry = {
      tenantId,
      id: newId(),
      at: new Date().toISOString(),
      event: 'audit.gap',
      actor: { kind: 'system', id: 'gateway' },
      target: `tenant:${tenantId}`,
    };
    const gap = { entry, record: this.#write(entry), callsRefused: 0, notesDropped: 0 };
    this.#open.set(tenantId, gap);
    return gap;
  }

  #write(entry: SpooledEntry): Promise<OpenRecord | undefined> {
    return this.intend(entry).catch(() => undefined);
  }
}
