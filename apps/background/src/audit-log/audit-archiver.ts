import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { exportLine, MerkleTree, tileReader, toLogRecord, treeLine } from '#libs/audit';
import type { BlobStore } from '#libs/blobs';
import type { Database, Transaction } from '#libs/database';
import { Rounds } from '#libs/resilience';
import type { Logger } from '#libs/telemetry';
import {
  archiveRecords,
  findDueRange,
  readRange,
  tenantsWithOldRecords,
  waitForTree,
  type LeafRange,
} from './archive.repository.js';

const EVERY_MS = 60 * 60 * 1_000;
const RECORDS_AT_ONCE = 500;
const TENANTS_MAX = 1_000;
/** After so many tenants in a row the trouble is not theirs. */
const FAILED_IN_A_ROW_MAX = 10;

/**
 * Moves records that are older than their plan keeps from the log into archives: compressed NDJSON that begins with what
 * was before it in the tree and ends at a checkpoint, so that each can be checked alone. An archive is made, brought to
 * where it is to stay, and then a record is kept → archived, in one transaction.
 */
export class AuditArchiver {
  readonly #rounds = new Rounds({
    everyMs: EVERY_MS,
    round: () => this.archive(),
    onFailed: (error) => this.logger.warn({ err: error }, 'audit records could not be archived'),
  });
  /** Tenants whose last archive failed: their turn comes after all others'. */
  readonly #failing = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly blobs: BlobStore,
    private readonly logger: Logger,
    private readonly region: string | undefined = undefined,
  ) {}

  start(): void {
    this.#rounds.start();
  }

  /** Ends after the archive in hand. */
  async stop(): Promise<void> {
    await this.#rounds.stop();
  }

  /** Archives what is due of every tenant that is served here; returns how many records. */
  async archive(): Promise<number> {
    const found = await this.database.everywhere((tx) =>
      tenantsWithOldRecords(tx, { atLast: [...this.#failing], limit: TENANTS_MAX, region: this.region }),
    );
    let archived = 0;
    let failedInARow = 0;
    for (const tenantId of found.flat()) {
      if (this.#rounds.signal.aborted || failedInARow === FAILED_IN_A_ROW_MAX) break;
      try {
        for (let more = true; more && !this.#rounds.signal.aborted;) {
          const records = await this.#archiveTenant(tenantId);
          archived += records;
          more = records > 0;
        }
        failedInARow = 0;
        this.#failing.delete(tenantId);
      } catch (error) {
        // One tenant's trouble is not another's.
        failedInARow += 1;
        this.#putLast(tenantId);
        this.logger.error({ err: error, tenant_id: tenantId }, 'audit records could not be archived');
      }
    }
    return archived;
  }

  #putLast(tenantId: string): void {
    if (this.#failing.size === TENANTS_MAX) this.#failing.clear();
    this.#failing.add(tenantId);
  }

  async #archiveTenant(tenantId: string): Promise<number> {
    const { database, blobs } = this;
    const made = await database.asTenant(tenantId, async (tx) => {
      const range = await findDueRange(tx, tenantId);
      return range && { range, content: await archiveOf(tx, tenantId, range) };
    });
    if (made === undefined) return 0;
    const { range, content } = made;
    const placed = await blobs.place(tenantId, content);
    const isKept = await database.asTenant(tenantId, async (tx) => {
      await waitForTree(tx, tenantId);
      return archiveRecords(tx, tenantId, range, placed);
    });
    return isKept ? range.end - range.first : 0;
  }
}

async function archiveOf(tx: Transaction, tenantId: string, range: LeafRange): Promise<Buffer> {
  const parts: Buffer[] = [];
  await pipeline(
    Readable.from(linesOf(tx, tenantId, range)),
    createGzip(),
    async (compressed: AsyncIterable<Buffer>) => {
      for await (const part of compressed) parts.push(part);
    },
  );
  return Buffer.concat(parts);
}

async function* linesOf(tx: Transaction, tenantId: string, { first, end }: LeafRange): AsyncGenerator<string> {
  const tree = new MerkleTree(end, tileReader(tx, tenantId));
  yield treeLine(first, await tree.frontier(first));
  for (let from = first; from < end; from += RECORDS_AT_ONCE) {
    const lines: string[] = [];
    for (const row of await readRange(tx, tenantId, from, Math.min(end, from + RECORDS_AT_ONCE))) {
      const leaf = Number(row.leaf_index);
      // The hash that the tree holds, not a new one: a record that was changed must not leave with a hash that fits it.
      lines.push(exportLine(leaf, await tree.leaf(leaf), toLogRecord(tenantId, row)));
    }
    yield lines.join('');
  }
}
