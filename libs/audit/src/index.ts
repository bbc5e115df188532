export { findArchive, type FoundArchive } from './tree/archives.js';
export { appendAudit, type AuditActor, type AuditEntry, type EventDetails } from './append.js';
export { auditCatalogue, type ShownEvent } from './catalogue.js';
export type { EventKind } from './event-kind.js';
export { AUDIT_EVENTS, type AuditEvent, type DetailsOf } from './events.js';
export { AUDIT_OUTCOMES, isAuditOutcome, type AuditOutcome } from './outcomes.js';
export {
  checkpointOrigin,
  publicKeyBytes,
  signCheckpoint,
  verifierKey,
  type Checkpoint,
} from './tree/checkpoint-note.js';
export {
  exportLine,
  LOG_COLUMNS,
  recordLeaf,
  toLogRecord,
  treeLine,
  type LogRecord,
  type LogRow,
} from './tree/log-record.js';
export { HASH_BYTES, leafHash, MerkleTree, TILE_WIDTH, type Tile, type TileReader } from './tree/merkle-tree.js';
export { ocsfEvent } from './shown/ocsf.js';
export {
  operatorLeaf,
  PLATFORM_LOG,
  platformTileReader,
  toOperatorRecord,
  type OperatorRecord,
  type OperatorRow,
} from './tree/operator-record.js';
export { otlpLogs, otlpRejection, type OtlpItem } from './shown/otlp-logs.js';
export { UnplacedRefusals } from './unplaced-refusals.js';
export { consistencyOf, inclusionOf } from './tree/proofs.js';
export { PERSONAL_DETAILS, PERSONALLY_NAMED_METHOD, splitPersonal } from './personal.js';
export { reducedEntry } from './stored/reduced-entry.js';
export { cutText, storableJson, storableText } from './stored/storable.js';
export { openRecords, type AuditRow, type ShownRecord } from './shown/shown-record.js';
export { tileReader } from './tree/stored-tiles.js';
