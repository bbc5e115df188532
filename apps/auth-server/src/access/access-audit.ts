import { appendAudit, type AuditEntry } from '#libs/audit';
import type { Database } from '#libs/database';
import type { Target } from './resource-access.js';

/** Writes what people and their clients do at the authorization server to the log of the tenant concerned. */
export class AccessAudit {
  constructor(private readonly database: Database) {}

  /** Records one event about a resource of the target's tenant. */
  async record(target: Target, entry: Omit<AuditEntry, 'target'>): Promise<void> {
    const details = { resource: target.url, ...entry.details };
    await this.database.asTenant(target.tenantId, (tx) =>
      appendAudit(tx, target.tenantId, [{ ...entry, target: `tenant:${target.tenantId}`, details }]),
    );
  }
}
