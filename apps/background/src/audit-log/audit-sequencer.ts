import type { KeyObject } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import {
  checkpointOrigin,
  MerkleTree,
  recordLeaf,
  signCheckpoint,
  splitPersonal,
  tileReader,
  toLogRecord,
  type LogRow,
} from '#libs/audit';
import { isUniqueViolation, type Database, type Transaction } from '#libs/database';
import { Rounds } from '#libs/resilience';
import type { PersonKeys } from '#libs/secrets';
import type { Logger } from '#libs/telemetry';
import { keepUsage } from '../usage/ledger.js';
import { enqueueDeliveries } from '../webhooks/enqueue-deliveries.js';
import {
  dropRepeated,
  hasEnded,
  keepRecords,
  lockTree,
  readArrivals,
  readTreeState,
  tenantsUnsigned,
  tenantsWithArrivals,
  writeCheckpoint,
  writeTiles,
  type Arrival,
  type TreeState,
} from './audit-log.repository.js';

import { PlatformLog } from './platform-log.js';

const EVERY_MS = 1_000;
const BATCH = 2_000;
/** Records that are read at once. */
const PAGE = 250;
/** Records that are sealed and hashed between two turns of the event loop, which calls have where services share a process. */
const SLICE = 32;
const TENANTS_MAX = 1_000;
const CHECKPOINT_SECONDS = 60;
const CHECKPOINT_RECORDS = 1_000;
/** Of one tenant's log that is signed as a whole; no more than so many batches arrive of one that is closed. */
const BATCHES_MAX = 10_000;

/** When a tenant's tree is signed: when it is time, or in any case. */
type Signing = 'due' | 'now';

/** A record as the log will hold it, but for its number. */
type Keepable = Omit<LogRow, 'leaf_index'>;

/** What gets the next numbers, in one order. */
interface Batch {
  readonly arrivals: readonly Arrival[];
  readonly rows: readonly Keepable[];
  readonly leaves: readonly Buffer[];
}

/** What numbering works with. */
export interface SequencerParts {
  readonly database: Database;
  readonly persons: PersonKeys;
  readonly key: KeyObject;
  readonly publicUrl: URL;
  readonly logger: Logger;
  /** Tenants of one database in one round; default 1,000. */
  readonly tenantsMax?: number;
}

/**
 * Numbers the records that have arrived, tenant by tenant: each becomes a leaf of its tenant's tree, what is personal in
 * it is sealed for its person, and every minute or thousand records the tree gets a signed checkpoint. A record is
 * arrived → kept, in one transaction; any number of sequencers may run.
 */
export class AuditSequencer {
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: async () => {
      // A full batch may have more behind it.
      if ((await this.sequence()) >= BATCH) this.#rounds.ring();
    },
    onFailed: (error) => this.parts.logger.warn({ err: error }, 'audit records could not be numbered'),
  });

  /** The tenant after which the next round begins; undefined for the first of all. */
  #after: string | undefined;

  constructor(private readonly parts: SequencerParts) {}

  start(): void {
    this.#rounds.start();
  }

  /** Ends after the tenant in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Numbers what has arrived and signs what is due, once; returns how many records were numbered. */
  async sequence(): Promise<number> {
    const { logger } = this.parts;
    let numbered = await this.#sequencePlatform();
    for (const tenantId of await this.#tenantsWithWork()) {
      if (this.#rounds.signal.aborted) break;
      try {
        numbered += (await this.#sequenceTenant(tenantId, 'due')) ?? 0;
      } catch (error) {
        // One tenant's trouble is not another's.
        logger.error({ err: error, tenant_id: tenantId }, 'audit records could not be numbered');
      }
    }
    return numbered;
  }

  /**
   * Numbers what has arrived of one tenant, and signs its whole log without waiting for the minute; false where it did not come
   * to that, because somebody else numbers it at this moment.
   */
  async signWhole(tenantId: string): Promise<boolean> {
    for (let batches = 0; batches < BATCHES_MAX; batches += 1) {
      const numbered = await this.#sequenceTenant(tenantId, 'now');
      if (numbered === undefined || numbered < BATCH) return numbered !== undefined;
    }
    return false;
  }

  /**
   * Tenants for one round. Where more have arrivals than it takes, the next round goes on after them: nobody's records wait
   * for as long as others have some.
   */
  async #tenantsWithWork(): Promise<ReadonlySet<string>> {
    const { database, tenantsMax: limit = TENANTS_MAX } = this.parts;
    const after = this.#after;
    const found = await database.everywhere(async (tx) => ({
      arrived: await tenantsWithArrivals(tx, { after, limit }),
      unsigned: await tenantsUnsigned(tx, CHECKPOINT_SECONDS, limit),
    }));
    const ends = found.flatMap(({ arrived }) => (arrived.length < limit ? [] : arrived.slice(-1)));
    this.#after = ends.toSorted()[0];
    return new Set(found.flatMap(({ arrived, unsigned }) => [...arrived, ...unsigned]));
  }

  /** The platform's trouble is no tenant's. */
  async #sequencePlatform(): Promise<number> {
    const { database, key, publicUrl, logger } = this.parts;
    try {
      return await new PlatformLog(database, key, publicUrl).sequence();
    } catch (error) {
      logger.error({ err: error }, 'what operators did could not be numbered');
      return 0;
    }
  }

  /** How many records were numbered; undefined where somebody else numbers. */
  async #sequenceTenant(tenantId: string, signing: Signing): Promise<number | undefined> {
    const { database } = this.parts;
    try {
      return await database.asTenant(tenantId, (tx) => this.#numberArrivals(tx, tenantId, signing));
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      // To look for each record before it is numbered would cost every record; a spool repeats some only after a crash.
      await database.asTenant(tenantId, (tx) => dropRepeated(tx, tenantId));
      return database.asTenant(tenantId, (tx) => this.#numberArrivals(tx, tenantId, signing));
    }
  }

  async #numberArrivals(tx: Transaction, tenantId: string, signing: Signing): Promise<number | undefined> {
    if (!(await lockTree(tx, tenantId))) return undefined;
    // Asked under the lock, which whoever ends it takes too.
    if (await hasEnded(tx, tenantId)) return 0;
    const state = await readTreeState(tx, tenantId);
    const { arrivals, rows, leaves } = await this.#readArrivals(tx, tenantId);
    let tree = new MerkleTree(state.size, tileReader(tx, tenantId));
    const due = isDue(state, state.size + arrivals.length, signing);
    if (arrivals.length > 0) {
      const grown = await tree.grow(leaves);
      ({ tree } = grown);
      await keepRecords(tx, tenantId, {
        ids: rows.map(({ id }) => id),
        firstLeaf: state.size,
        sealed: Object.fromEntries(
          rows.flatMap(({ id, personal }) => (personal === null ? [] : [[id, personal.toString('base64')]])),
        ),
      });
      await writeTiles(tx, tenantId, grown.tiles, tree.size);
      await keepUsage(tx, tenantId, arrivals);
    }
    if (due) await this.#sign(tx, tenantId, tree);
    await enqueueDeliveries(tx, tenantId, { records: arrivals, checkpointSize: due ? tree.size : undefined });
    return arrivals.length;
  }

  /** The oldest arrivals, as the log will hold them, and as leaves of the tree. */
  async #readArrivals(tx: Transaction, tenantId: string): Promise<Batch> {
    const [arrivals, rows, leaves]: [Arrival[], Keepable[], Buffer[]] = [[], [], []];
    for (let full = true; full && arrivals.length < BATCH;) {
      const page = await readArrivals(tx, tenantId, { after: arrivals.at(-1)?.id, limit: PAGE });
      const seal = await this.#sealer(tx, tenantId, page);
      for (const [at, arrival] of page.entries()) {
        if (at % SLICE === 0) await turn();
        const row = seal(arrival);
        rows.push(row);
        leaves.push(recordLeaf(toLogRecord(tenantId, row)));
      }
      arrivals.push(...page);
      full = page.length === PAGE;
    }
    return { arrivals, rows, leaves };
  }

  /** What makes of each of these arrivals what the log will hold. */
  async #sealer(tx: Transaction, tenantId: string, page: readonly Arrival[]): Promise<(arrival: Arrival) => Keepable> {
    const split = new Map(page.map((arrival) => [arrival, splitPersonal(arrival)]));
    const persons = [...split.values()].flatMap((parts) => (parts === undefined ? [] : [parts.personId]));
    const seal = await this.parts.persons.sealer(tx, tenantId, persons);
    return (arrival) => {
      const parts = split.get(arrival);
      if (parts === undefined) return { ...arrival, personal: null };
      const { personId, personal: value, open } = parts;
      return { ...open, personal: seal({ personId, value, context: arrival.id }) };
    };
  }

  async #sign(tx: Transaction, tenantId: string, tree: MerkleTree): Promise<void> {
    const root = await tree.root();
    const origin = checkpointOrigin(this.parts.publicUrl, tenantId);
    const note = signCheckpoint({ origin, treeSize: tree.size, rootHash: root }, this.parts.key);
    await writeCheckpoint(tx, tenantId, { size: tree.size, root, note });
  }
}

function isDue(
  { size, checkpointSize, secondsSinceCheckpoint }: TreeState,
  grownTo: number,
  signing: Signing,
): boolean {
  if (grownTo === checkpointSize) return false;
  if (signing === 'now') return true;
  const since = grownTo - checkpointSize;
  // The first records of a tenant need no minute: their tree has never been signed.
  return (
    since >= CHECKPOINT_RECORDS || secondsSinceCheckpoint >= CHECKPOINT_SECONDS || (checkpointSize === 0 && size === 0)
  );
}
