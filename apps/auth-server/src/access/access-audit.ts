import { appendAudit, type AuditEntry } from '#libs/audit';
import type { Database } from '#libs/database';
import type { ResourceAccess, Target } from './resource-access.js';

/** Somebody at the authorization server, with the client that acts for them. */
export interface Visitor {
  /** Who it is, where somebody has signed in. */
  readonly accountId: string | undefined;
  readonly clientId: string;
  readonly address: string;
}

/** Writes what people and their clients do at the authorization server to the log of the tenant concerned. */
export class AccessAudit {
  constructor(
    private readonly database: Database,
    private readonly access: ResourceAccess,
  ) {}

  /** Records one event about a resource of the target's tenant. */
  async record(target: Target, entry: Omit<AuditEntry, 'target'>): Promise<void> {
    const details = { resource: target.url, ...entry.details };
    await this.database.asTenant(target.tenantId, (tx) =>
      appendAudit(tx, target.tenantId, [{ ...entry, target: `tenant:${target.tenantId}`, details }]),
    );
  }

  /**
   * Records what a visitor did. Who is no member of the tenant is no business of the tenant's: neither account nor
   * address is written, and the outcome is `no_access`.
   */
  async recordVisit(
    target: Target,
    { accountId: id, clientId: client, address }: Visitor,
    entry: Omit<AuditEntry, 'target' | 'actor' | 'sourceAddress'>,
  ): Promise<void> {
    const details = { client, ...entry.details };
    if (id === undefined) {
      await this.record(target, { ...entry, actor: { kind: 'anonymous' }, details, sourceAddress: address });
    } else if (await this.access.isMember(id, target)) {
      await this.record(target, { ...entry, actor: { kind: 'person', id, client }, details, sourceAddress: address });
    } else {
      await this.record(target, { ...entry, actor: { kind: 'anonymous' }, details, outcome: 'no_access' });
    }
  }
}
