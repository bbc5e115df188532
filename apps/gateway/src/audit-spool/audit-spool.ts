import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { Logger } from '#libs/telemetry';
import { liveHere, newSpoolDirectory, readLeftovers, removeSpool, type Leftover } from './leftovers.js';
import { toAuditEntry, type SpooledEntry, type SpooledOutcome, type SpoolLine } from './records.js';
import { Shipper } from './shipper.js';
import { SpoolFiles, type Segment, type Urgency } from './spool-files.js';

/** Where the spool lives and where its entries go. */
export interface AuditSpoolOptions {
  /** Spools of all gateways of this data folder, a directory each. */
  readonly root: string;
  readonly database: Database;
  readonly logger: Logger;
  /** Entries that may wait for the database before calls are refused; default 100,000 (some 60 MiB). */
  readonly entriesMax?: number;
}

/** With more calls than this under way, an intent waits a moment for the next ones: a synchronization costs as much as half a call. */
const BUSY_MIN = 8;

/** A call whose intent is on disk; ends once. */
export interface OpenRecord {
  end(ended: SpooledOutcome): void;
}

/**
 * The audit log of calls before it reaches the database: an intent is on disk before the call runs, its outcome
 * follows, and both arrive in the tenant's log as one entry.
 */
export class AuditSpool {
  readonly #shipper: Shipper;
  #open = 0;
  #writing = new Set<Promise<unknown>>();

  private constructor(
    private readonly directory: string,
    private readonly files: SpoolFiles,
    private readonly options: AuditSpoolOptions,
  ) {
    this.#shipper = new Shipper(options.database, options.logger);
  }

  /** Opens a new spool and ships what crashed gateways left in theirs. */
  static async open(options: AuditSpoolOptions): Promise<AuditSpool> {
    const root = resolve(options.root);
    await mkdir(root, { recursive: true, mode: 0o700 });
    const directory = newSpoolDirectory(root);
    liveHere.add(directory);
    const spool = new AuditSpool(directory, await SpoolFiles.open(directory), options);
    for (const leftover of await readLeftovers(root, directory)) await spool.#ship(leftover);
    return spool;
  }

  /** How many entries have not reached the database: of calls under way, and of such that ended. */
  get waiting(): { readonly open: number; readonly ended: number } {
    return { open: this.#open, ended: this.#shipper.waiting };
  }

  /** Records what is about to happen. @throws AppError unavailable when it cannot be recorded, for then it must not happen */
  async intend(entry: SpooledEntry): Promise<OpenRecord> {
    if (this.#open + this.#shipper.waiting >= (this.options.entriesMax ?? 100_000)) throw cannotRecord();
    this.#open += 1;
    try {
      const segment = await this.#append({ t: 'intent', entry }, this.#open > BUSY_MIN ? 'company' : 'now');
      let ended = false;
      return {
        end: (outcome) => {
          if (ended) return;
          ended = true;
          this.#end(entry, outcome, segment);
        },
      };
    } catch (error) {
      this.#open -= 1;
      throw cannotRecord(error);
    }
  }

  /** Records what has happened already; where it cannot be, the log of the process says so. */
  note(entry: SpooledEntry, ended: SpooledOutcome): void {
    if (this.#shipper.waiting >= (this.options.entriesMax ?? 100_000)) return;
    this.#append({ t: 'entry', entry, ...ended }, 'soon').then(
      (segment) => this.#add(entry, ended, [segment]),
      (error: unknown) =>
        this.options.logger.error({ event: entry.event, cause: String(error) }, 'audit spool cannot be written'),
    );
  }

  /** Ships what it can and closes; what has not arrived is shipped at the next start. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#writing);
    await this.#shipper.flush();
    const empty = await this.files.close();
    liveHere.delete(this.directory);
    if (empty) await removeSpool(this.directory);
  }

  #end(entry: SpooledEntry, ended: SpooledOutcome, intent: Segment): void {
    this.#append({ t: 'outcome', id: entry.id, ...ended }, 'soon').then(
      (outcome) => {
        this.#open -= 1;
        this.#add(entry, ended, [intent, outcome]);
      },
      () => {
        // Without its line the record is only in memory, which is enough unless the process crashes now.
        this.#open -= 1;
        this.#add(entry, ended, [intent]);
      },
    );
  }

  #append(line: SpoolLine, urgency: Urgency): Promise<Segment> {
    const written = this.files.append(line, urgency);
    this.#writing.add(written);
    const finish = (): void => void this.#writing.delete(written);
    written.then(finish, finish);
    return written;
  }

  #add(entry: SpooledEntry, ended: SpooledOutcome, segments: readonly Segment[]): void {
    this.#shipper.add({
      tenantId: entry.tenantId,
      entry: toAuditEntry(entry, ended),
      arrived: () => {
        for (const segment of segments) this.files.settle(segment);
      },
    });
  }

  async #ship({ directory, records }: Leftover): Promise<void> {
    let left = records.length;
    if (left === 0) await removeSpool(directory);
    for (const { entry, ended } of records) {
      this.#shipper.add({
        tenantId: entry.tenantId,
        entry: toAuditEntry(entry, ended),
        arrived: async () => {
          left -= 1;
          if (left === 0) await removeSpool(directory);
        },
      });
    }
  }
}

function cannotRecord(cause?: unknown): AppError {
  return new AppError('unavailable', {
    message: 'Calls cannot be recorded at the moment, so none are run. Try again shortly.',
    retryAfterSeconds: 10,
    cause,
  });
}
