export { appendAudit, type AuditActor, type AuditEntry } from './append.js';
export { AUDIT_EVENTS, type AuditEvent } from './events.js';
export { signCheckpoint, verifierKey, type Checkpoint } from './checkpoint-note.js';
export { consistencyProof, inclusionProof, leafHash, treeRoot } from './merkle-tree.js';
