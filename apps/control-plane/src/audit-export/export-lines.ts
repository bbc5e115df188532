import { exportLine, ocsfEvent, type LogRecord, type ShownRecord } from '#libs/audit';
import { csvRow } from '../paging/csv.js';

/** A record on its way out: as it was hashed, and as people read it. */
export interface ExportedRecord {
  readonly leafIndex: number;
  /** In base64. */
  readonly leafHash: string;
  readonly record: LogRecord;
  readonly shown: ShownRecord;
}

/** Details of calls that have a column of their own; they stand in `details` too. */
const CALL_COLUMNS = [
  'server',
  'method',
  'name',
  'era',
  'http_status',
  'rpc_code',
  'rule',
  'duration_ms',
  'queue_ms',
  'worker_ms',
  'upstream_ms',
  'bytes_in',
  'bytes_out',
  'arguments_digest',
] as const;
const CSV_COLUMNS = [
  'leaf_index',
  'id',
  'at',
  'event',
  'actor_kind',
  'actor_id',
  'client',
  'target',
  'outcome',
  'source_address',
  'trace_id',
  ...CALL_COLUMNS,
  'details',
] as const;

/** The first line of a CSV export (RFC 4180). */
export const CSV_HEAD = csvRow(CSV_COLUMNS);

/** A record as `wharf-verify` reads it; `personal` stands beside what was hashed. */
export function ndjsonLine({ leafIndex, leafHash, record, shown }: ExportedRecord): string {
  const { source_address, details } = shown;
  const personal = shown.personal === 'shown' ? { personal: { source_address, details } } : {};
  return exportLine(leafIndex, leafHash, record, personal);
}

/** A record as a line of CSV (RFC 4180). */
export function csvLine({ leafIndex, shown }: ExportedRecord): string {
  const { actor } = shown;
  const called = Object.fromEntries(CALL_COLUMNS.map((column) => [column, shown.details[column]]));
  const values: Record<(typeof CSV_COLUMNS)[number], unknown> = {
    ...shown,
    ...(called as Record<(typeof CALL_COLUMNS)[number], unknown>), // one for each column
    leaf_index: leafIndex,
    actor_kind: actor.kind,
    actor_id: actor['id'] ?? '',
    client: actor['client'] ?? '',
    details: JSON.stringify(shown.details),
  };
  return csvRow(CSV_COLUMNS.map((column) => String(values[column] ?? '')));
}

/** A record as a line of an OCSF 1.3 export. */
export function ocsfLine({ leafIndex, shown }: ExportedRecord): string {
  return `${JSON.stringify(ocsfEvent(leafIndex, shown))}\n`;
}
