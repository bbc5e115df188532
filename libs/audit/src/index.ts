export { appendAudit, type AuditActor, type AuditEntry } from './append.js';
export { AUDIT_EVENTS, type AuditEvent } from './events.js';
