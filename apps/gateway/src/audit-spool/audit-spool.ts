import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { AuditEntry } from '#libs/audit';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { Logger } from '#libs/telemetry';
import type { AuditMode } from '../routing/tenants.repository.js';
import { DiskLines, type Urgency } from './disk-lines.js';
import { Gaps } from './gaps.js';
import { liveHere, newSpoolDirectory, readLeftovers, removeSpool, type Leftover } from './leftovers.js';
import { ProcessLines } from './process-lines.js';
import {
  toAuditEntry,
  withholding,
  type SpooledEntry,
  type SpooledOutcome,
  type SpoolLine,
  type OpenRecord,
} from './records.js';
import type { Segment } from './segments.js';
import type { Shipment } from './shipping/lane.js';
import { Shipper } from './shipping/shipper.js';

/** Where the spool lives and where its entries go. */
export interface AuditSpoolOptions {
  /** Spools of all gateways of this data folder, a directory each. */
  readonly root: string;
  readonly database: Pick<Database, 'asTenant'>;
  readonly logger: Logger;
  /** Entries that may wait for the database before calls are refused; default 100,000. */
  readonly entriesMax?: number;
  /** Bytes that the spool may take before calls are refused; default 512 MiB. */
  readonly bytesMax?: number;
  /** How long a reply waits for its record to be committed; default 5,000. */
  readonly commitMs?: number;
}

const ENTRIES_MAX = 100_000;
const BYTES_MAX = 512 * 1024 * 1024;
/** Less full than this, a spool has room for more than the next call. */
const ROOMY = 0.9;
/** With more calls than this under way, an intent waits a moment for the next ones: a synchronization costs as much as half a call. */
const BUSY_MIN = 8;
const COMMIT_MS = 5_000;
/** What of that one statement may take, so that it has ended before it is decided what its call is answered. */
const STATEMENT_SHARE = 0.8;

/**
 * The audit log of calls before it reaches the database: an intent is recorded before the call runs, its outcome
 * follows, and both arrive in the tenant's log as one entry. Plans choose how safe that is (`AuditMode`).
 */
export class AuditSpool {
  readonly #shipper: Shipper;
  readonly #gaps: Gaps;
  #open = 0;
  /** The write that began last: they are done in turn. */
  #lastWrite: Promise<unknown> | undefined;

  private constructor(
    private readonly directory: string,
    private readonly files: { readonly disk: DiskLines; readonly process: ProcessLines },
    private readonly options: AuditSpoolOptions,
  ) {
    this.#gaps = new Gaps((entry) => this.#intend(entry, 'disk'), options.logger);
    const { database, logger, commitMs = COMMIT_MS } = options;
    const atOnceMs = commitMs * STATEMENT_SHARE;
    this.#shipper = new Shipper({ database, logger, atOnceMs, onArrival: () => this.#closeGaps() });
  }

  /** Opens a new spool and ships what crashed gateways left in theirs. */
  static async open(options: AuditSpoolOptions): Promise<AuditSpool> {
    const root = resolve(options.root);
    await mkdir(root, { recursive: true, mode: 0o700 });
    const directory = newSpoolDirectory(root);
    liveHere.add(directory);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const files = { disk: await DiskLines.open(directory), process: await ProcessLines.open(directory) };
    const spool = new AuditSpool(directory, files, options);
    for (const leftover of await readLeftovers(root, directory)) await spool.#ship(leftover);
    return spool;
  }

  /** How many entries have not reached the database: of calls under way, and of such that ended. */
  get waiting(): { readonly open: number; readonly ended: number } {
    return { open: this.#open, ended: this.#shipper.waiting };
  }

  /** How long the oldest entry of a call that ended has waited for the database. */
  get oldestMs(): number {
    return this.#shipper.oldestMs;
  }

  /** How much of what may wait does, from 0 to 1: in entries or in bytes, whichever is more. */
  get fullness(): number {
    const { entriesMax = ENTRIES_MAX, bytesMax = BYTES_MAX } = this.options;
    const entries = this.#open + this.#shipper.waiting;
    return Math.max(entries / entriesMax, (this.files.disk.bytes + this.files.process.bytes) / bytesMax);
  }

  /** Records what is about to happen. @throws AppError unavailable when it cannot be recorded, for then it must not happen */
  async intend(entry: SpooledEntry, mode: AuditMode = 'disk'): Promise<OpenRecord> {
    const refuse = (cause?: unknown): never => {
      this.#gaps.callRefused(entry.tenantId);
      throw cannotRecord('so none are run', cause);
    };
    if (this.fullness >= 1 || (mode === 'database' && this.#shipper.failing(entry.tenantId))) refuse();
    const record = await this.#intend(entry, mode).catch(refuse);
    this.#closeGaps();
    return record;
  }

  /** Records what has happened already; what finds no room is counted and the gap is marked. */
  note(entry: SpooledEntry, ended: SpooledOutcome): void {
    if (this.fullness >= 1) return this.#gaps.noteDropped(entry.tenantId);
    this.#appendToDisk({ t: 'entry', entry, ...ended }, 'soon').then(
      (segment) => this.#shipper.add(shipment(entry, ended, () => this.files.disk.settle(segment))),
      (error: unknown) => {
        this.options.logger.error({ event: entry.event, cause: String(error) }, 'audit spool cannot be written');
        this.#gaps.noteDropped(entry.tenantId);
      },
    );
  }

  /** Ships what it can and closes; what has not arrived is shipped at the next start. */
  async close(): Promise<void> {
    await this.#gaps.close();
    await Promise.allSettled([this.#lastWrite]);
    await this.#shipper.flush();
    const empty = await Promise.all([this.files.disk.close(), this.files.process.close()]);
    liveHere.delete(this.directory);
    if (empty.every(Boolean)) await removeSpool(this.directory);
  }

  /** A gap ends when there is room for more than the next call. */
  #closeGaps(): void {
    if (this.#gaps.size > 0 && this.fullness < ROOMY) void this.#gaps.close();
  }

  async #intend(entry: SpooledEntry, mode: AuditMode): Promise<OpenRecord> {
    const durability = mode === 'process' ? 'process' : 'disk';
    this.#open += 1;
    try {
      const segment =
        durability === 'process'
          ? this.files.process.append({ t: 'intent', entry })
          : await this.#appendToDisk({ t: 'intent', entry }, this.#open > BUSY_MIN ? 'company' : 'now');
      let ended = false;
      return {
        end: (outcome, withheld = () => outcome) => {
          if (ended) return Promise.resolve(undefined);
          ended = true;
          const settle = (): void => this.files[durability].settle(segment);
          if (mode === 'database') return this.#commit(entry, { outcome, withheld }, settle);
          this.#end(entry, outcome, settle);
          return Promise.resolve(undefined);
        },
      };
    } catch (error) {
      this.#open -= 1;
      throw error;
    }
  }

  #end(entry: SpooledEntry, ended: SpooledOutcome, settleIntent: () => void): void {
    const line = this.#appendOutcome(entry.id, ended);
    this.#open -= 1;
    const arrived = (): void => {
      settleIntent();
      if (line !== undefined) this.files.process.settle(line);
    };
    this.#shipper.add(shipment(entry, ended, arrived));
  }

  /** Without its line the outcome is only in memory, which is enough unless the process ends now. */
  #appendOutcome(id: string, ended: SpooledOutcome): Segment | undefined {
    try {
      return this.files.process.append({ t: 'outcome', id, ...ended });
    } catch {
      return undefined;
    }
  }

  /** No line for the outcome: if this process ends before the commit, no reply has left, and the call was interrupted. */
  #commit(
    entry: SpooledEntry,
    { outcome, withheld }: { outcome: SpooledOutcome; withheld: (error: AppError) => SpooledOutcome },
    settleIntent: () => void,
  ): Promise<AppError | undefined> {
    this.#open -= 1;
    return new Promise((settled) => {
      let late: AuditEntry | undefined;
      const timer = setTimeout(() => {
        const error = cannotRecord('and the answer is kept back');
        late = toAuditEntry(entry, withheld(error));
        shipped.entry = late;
        settled(error);
      }, this.options.commitMs ?? COMMIT_MS);
      const arrived = (stored: AuditEntry | undefined): void => {
        clearTimeout(timer);
        if (late !== undefined && stored !== late) this.note(...withholding(entry, late));
        settleIntent();
        settled(undefined);
      };
      const shipped = shipment(entry, outcome, arrived);
      this.#shipper.add(shipped, 'at-once');
    });
  }

  #appendToDisk(line: SpoolLine, urgency: Urgency): Promise<Segment> {
    const written = this.files.disk.append(line, urgency);
    this.#lastWrite = written;
    return written;
  }

  async #ship({ directory, records }: Leftover): Promise<void> {
    let left = records.length;
    if (left === 0) await removeSpool(directory);
    for (const { entry, ended } of records) {
      const arrived = async (): Promise<void> => {
        left -= 1;
        if (left === 0) await removeSpool(directory);
      };
      this.#shipper.add(shipment(entry, ended, arrived));
    }
  }
}

function shipment(entry: SpooledEntry, ended: SpooledOutcome, arrived: Shipment['arrived']): Shipment {
  return { tenantId: entry.tenantId, entry: toAuditEntry(entry, ended), arrived };
}

function cannotRecord(consequence: string, cause?: unknown): AppError {
  return new AppError('unavailable', {
    message: `Calls cannot be recorded at the moment, ${consequence}. Try again shortly.`,
    retryAfterSeconds: 10,
    cause,
  });
}
