import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { exportLine, MerkleTree, tileReader, toLogRecord, treeLine } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import type { Logger } from '#libs/telemetry';
import {
  archiveRecords,
  findDueRange,
  lockTree,
  readRange,
  tenantsWithOldRecords,
  type LeafRange,
} from './archive.repository.js';

const compress = promisify(gzip);
const EVERY_MS = 60 * 60 * 1_000;
const RECORDS_MAX = 10_000;
const TENANTS_MAX = 1_000;

/**
 * Moves records that are older than their plan keeps from the log into archives: compressed NDJSON that begins with what
 * was before it in the tree and ends at a checkpoint, so that each can be checked alone. A record is kept → archived, in
 * one transaction.
 */
export class AuditArchiver {
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  start(): void {
    const run = (): void => {
      this.#working = this.archive().catch((error: unknown) =>
        this.logger.warn({ err: error }, 'audit records could not be archived'),
      );
    };
    run();
    this.#timer = setInterval(run, EVERY_MS);
    this.#timer.unref();
  }

  /** Ends after the archive in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#working;
  }

  /** Archives what is due of every tenant; returns how many records. */
  async archive(): Promise<number> {
    const tenants = await this.database.asService((tx) => tenantsWithOldRecords(tx, TENANTS_MAX));
    let archived = 0;
    for (const tenantId of tenants) {
      for (let more = true; more && !this.#stopped;) {
        const records = await this.database.asTenant(tenantId, (tx) => archiveTenant(tx, tenantId));
        archived += records;
        more = records > 0;
      }
    }
    return archived;
  }
}

async function archiveTenant(tx: Transaction, tenantId: string): Promise<number> {
  if (!(await lockTree(tx, tenantId))) return 0;
  const range = await findDueRange(tx, tenantId, RECORDS_MAX);
  if (range === undefined) return 0;
  const content = await archiveOf(tx, tenantId, range);
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  await archiveRecords(tx, tenantId, range, { digest, content });
  return range.end - range.first;
}

async function archiveOf(tx: Transaction, tenantId: string, { first, end }: LeafRange): Promise<Buffer> {
  const tree = new MerkleTree(end, tileReader(tx, tenantId));
  const lines = [treeLine(first, await tree.frontier(first))];
  for (const row of await readRange(tx, tenantId, first, end)) {
    const leaf = Number(row.leaf_index);
    // The hash that the tree holds, not a new one: a record that was changed must not leave with a hash that fits it.
    lines.push(exportLine(leaf, await tree.leaf(leaf), toLogRecord(tenantId, row)));
  }
  return compress(lines.join(''));
}
