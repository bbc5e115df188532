import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, MerkleTree, openRecords, tileReader, toLogRecord, treeLine } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import type { PersonKeys } from '#libs/secrets';
import { doneBy, type TenantCaller } from '../access/caller.js';
import { isAskedFor, type AuditFilter } from '../audit-query/audit-filter.js';
import { AuditQueryRepository } from '../audit-query/audit-query.repository.js';
import type { InputOf } from '../contract/contract.js';
import { PERSON_KEYS, TENANT_DATABASE } from '../platform/tokens.js';
import { findArchived, readLeafHashes } from './leaf-hashes.js';
import { CSV_HEAD, csvLine, ndjsonLine, ocsfLine, type ExportedRecord } from './export-lines.js';
import type { exportAudit } from './audit-export.schema.js';

type Query = InputOf<typeof exportAudit>['query'];

const BATCH = 500;
const FOLLOW_EVERY_MS = 1_000;
const FOLLOW_MS = 3_600_000;

const LINES = { ndjson: ndjsonLine, csv: csvLine, ocsf: ocsfLine } as const;

interface Batch {
  readonly records: readonly ExportedRecord[];
  /** The number that the next batch starts from. */
  readonly next: number;
  readonly isMore: boolean;
}

/** Hands out a tenant's audit log, batch by batch, as fast as its reader reads. */
@Injectable()
export class AuditExportService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(AuditQueryRepository) private readonly records: AuditQueryRepository,
    @Inject(PERSON_KEYS) private readonly persons: PersonKeys,
  ) {}

  /** The lines of an export; that it was made is itself recorded. */
  async open(caller: TenantCaller, query: Query, signal: AbortSignal): Promise<Readable> {
    const { tenantId } = caller;
    const { format, follow } = query;
    await this.database.asTenant(tenantId, (tx) =>
      appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'audit.exported', target: `tenant:${tenantId}`, details: { format, follow } }),
      ]),
    );
    return Readable.from(this.#lines(tenantId, query, signal));
  }

  async *#lines(tenantId: string, query: Query, signal: AbortSignal): AsyncGenerator<string> {
    const { format, follow, from_leaf: from = 0, ...filter } = query;
    const until = Date.now() + FOLLOW_MS;
    let next = from;
    if (format === 'csv') yield CSV_HEAD;
    if (format === 'ndjson' && from === 0) yield await this.#start(tenantId);
    while (!signal.aborted) {
      const batch = await this.database.asTenant(tenantId, (tx) => this.#batch(tx, tenantId, filter, next));
      if (batch.records.length > 0) yield batch.records.map(LINES[format]).join('');
      next = batch.next;
      if (batch.isMore) continue;
      if (follow === 'false' || Date.now() > until) return;
      await wait(FOLLOW_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** What the tree is before the first record that is still in the log; nothing where that is record 0. */
  #start(tenantId: string): Promise<string> {
    return this.database.asTenant(tenantId, async (tx) => {
      const archived = await findArchived(tx, tenantId);
      if (archived === 0) return '';
      return treeLine(archived, await new MerkleTree(archived, tileReader(tx, tenantId)).frontier(archived));
    });
  }

  async #batch(tx: Transaction, tenantId: string, filter: AuditFilter, from: number): Promise<Batch> {
    const { rows, seenTo } = await this.records.listFrom(tx, tenantId, filter, { limit: BATCH, from });
    const leaves = rows.map((row) => Number(row.leaf_index));
    const hashes = await readLeafHashes(tx, tenantId, leaves);
    const shown = await openRecords(tx, tenantId, this.persons, rows);
    const records = rows.map((row, index) => ({
      leafIndex: leaves[index] ?? 0,
      leafHash: hashes[index] ?? '',
      record: toLogRecord(tenantId, row),
      // One for each row, in their order.
      shown: shown[index] as (typeof shown)[number],
    }));
    return {
      records: records.filter(({ shown }) => isAskedFor(filter, shown)),
      next: Math.max(from, Number(seenTo ?? -1) + 1, (leaves.at(-1) ?? -1) + 1),
      isMore: seenTo !== undefined,
    };
  }
}
