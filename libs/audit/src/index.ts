export { appendAudit, type AuditActor, type AuditEntry, type EventDetails } from './append.js';
export { auditCatalogue, type ShownEvent } from './catalogue.js';
export type { EventKind } from './event-kind.js';
export { AUDIT_EVENTS, type AuditEvent, type DetailsOf } from './events.js';
export { checkpointOrigin, publicKeyBytes, signCheckpoint, verifierKey, type Checkpoint } from './checkpoint-note.js';
export {
  exportLine,
  LOG_COLUMNS,
  recordLeaf,
  toLogRecord,
  treeLine,
  type LogRecord,
  type LogRow,
} from './log-record.js';
export { HASH_BYTES, leafHash, MerkleTree, TILE_WIDTH, type Tile, type TileReader } from './merkle-tree.js';
export { ocsfEvent } from './ocsf.js';
export {
  operatorLeaf,
  PLATFORM_LOG,
  platformTileReader,
  toOperatorRecord,
  type OperatorRecord,
  type OperatorRow,
} from './operator-record.js';
export { otlpLogs, otlpRejection, type OtlpItem } from './otlp-logs.js';
export { PERSONAL_DETAILS, splitPersonal } from './personal.js';
export { openRecords, type AuditRow, type ShownRecord } from './shown-record.js';
export { tileReader } from './stored-tiles.js';
