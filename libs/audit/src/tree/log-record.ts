import { canonicalJson } from '#libs/protocol';
import { leafHash } from './merkle-tree.js';

/** A record as it is hashed into a tenant's tree and exported; every member counts. */
export interface LogRecord {
  readonly tenant_id: string;
  readonly id: string;
  /** ISO 8601, milliseconds, UTC. */
  readonly at: string;
  readonly event: string;
  readonly actor: Readonly<Record<string, unknown>>;
  readonly target: string;
  readonly outcome: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** What is personal, sealed for the person it is about, in base64; null where nothing is. */
  readonly personal: string | null;
  readonly source_address: string | null;
  readonly trace_id: string | null;
}

/** A row of `audit_log`, as PostgreSQL gives it. */
export interface LogRow extends Omit<LogRecord, 'at' | 'personal' | 'tenant_id'> {
  readonly at: Date;
  readonly personal: Buffer | null;
  /** A bigint, which the driver gives as text. */
  readonly leaf_index: string;
}

/** The columns of a `LogRow`. */
export const LOG_COLUMNS =
  'id, leaf_index, at, event, actor, target, outcome, details, personal, source_address, trace_id';

/** The record of a row. */
export function toLogRecord(tenantId: string, row: Omit<LogRow, 'leaf_index'>): LogRecord {
  const { id, at, event, actor, target, outcome, details, personal, source_address, trace_id } = row;
  const sealed = personal?.toString('base64') ?? null;
  const told = { id, at: at.toISOString(), event, actor, target, outcome, details };
  return { tenant_id: tenantId, ...told, personal: sealed, source_address, trace_id };
}

/** The leaf of a record: the hash of its canonical JSON (RFC 8785, RFC 9162). */
export function recordLeaf(record: LogRecord): Buffer {
  const { actor, at, details, event, id, outcome, personal, source_address, target, tenant_id, trace_id } = record;
  // The members in the order of RFC 8785, so that only what is inside them needs sorting.
  const members = [
    `"actor":${canonicalJson(actor)}`,
    `"at":"${at}"`,
    `"details":${canonicalJson(details)}`,
    `"event":${JSON.stringify(event)}`,
    `"id":"${id}"`,
    `"outcome":${JSON.stringify(outcome)}`,
    `"personal":${JSON.stringify(personal)}`,
    `"source_address":${JSON.stringify(source_address)}`,
    `"target":${JSON.stringify(target)}`,
    `"tenant_id":"${tenant_id}"`,
    `"trace_id":${JSON.stringify(trace_id)}`,
  ];
  return leafHash(`{${members.join()}}`);
}

/** A line of an export: the record as it was hashed, with its number and the hash that the tree holds (`wharf-verify` reads it). */
export function exportLine(leafIndex: number, leaf: Uint8Array | string, record: object, beside: object = {}): string {
  const hash = typeof leaf === 'string' ? leaf : Buffer.from(leaf).toString('base64');
  return `${JSON.stringify({ leaf_index: leafIndex, leaf_hash: hash, record, ...beside })}\n`;
}

/** The first line of an export that does not begin with record 0: what the tree is before it. */
export function treeLine(firstLeaf: number, frontier: readonly Uint8Array[]): string {
  const left = frontier.map((hash) => Buffer.from(hash).toString('base64'));
  return `${JSON.stringify({ tree: { first_leaf: firstLeaf, left } })}\n`;
}
