import {
  appendAudit,
  type AuditActor,
  type AuditEntry,
  type AuditOutcome,
  type DetailsOf,
  type UnplacedRefusals,
} from '#libs/audit';
import type { Database } from '#libs/database';
import type { ResourceAccess, Target } from './resource-access.js';

/** Somebody at the authorization server, with the client that acts for them. */
export interface Visitor {
  /** Who it is, where somebody has signed in. */
  readonly accountId: string | undefined;
  readonly clientId: string;
  readonly address: string;
}

/** What can happen at the authorization server about a resource of a tenant. */
type AccessEvent =
  | 'login.succeeded'
  | 'login.failed'
  | 'consent.granted'
  | 'consent.refused'
  | 'token.issued'
  | 'token.refused'
  | 'token.reuse_detected';

/** An event with what is particular to it; where it was headed is added here. */
type AccessDone<Event extends AccessEvent = AccessEvent> = Event extends AccessEvent
  ? {
      readonly event: Event;
      readonly outcome: AuditOutcome;
      readonly details: Omit<DetailsOf<Event>, 'resource'>;
      readonly traceId?: string;
    }
  : never;

/** Writes what people and their clients do at the authorization server to the log of the tenant concerned. */
export class AccessAudit {
  constructor(
    private readonly database: Database,
    private readonly access: ResourceAccess,
    private readonly unplaced: Pick<UnplacedRefusals, 'note'>,
  ) {}

  /** Counts a refusal that concerns no tenant, for the platform's own log. */
  noteUnplaced(rule: string, address: string): void {
    this.unplaced.note(rule, address);
  }

  /** Records one event about a resource of the target's tenant. */
  async record(
    target: Target,
    entry: AccessDone & { readonly actor: AuditActor; readonly sourceAddress?: string },
  ): Promise<void> {
    const details = { resource: target.url, ...entry.details };
    const whole = { ...entry, target: `tenant:${target.tenantId}`, details };
    await this.database.asTenant(
      target.tenantId,
      (tx) => appendAudit(tx, target.tenantId, [whole as AuditEntry<AccessEvent>]), // each event with its own details, as `AccessDone` says
    );
  }

  /**
   * Records what a visitor did. Who is no member of the tenant is no business of the tenant's: neither account nor
   * address is written, and the outcome is `no_access`.
   */
  async recordVisit(
    target: Target,
    { accountId: id, clientId: client, address }: Visitor,
    entry: AccessDone,
  ): Promise<void> {
    const done = { ...entry, details: { client, ...entry.details } } as AccessDone; // the same event, and one detail that each may have
    if (id === undefined) {
      await this.record(target, { ...done, actor: { kind: 'anonymous' }, sourceAddress: address });
    } else if (await this.access.isMember(id, target)) {
      await this.record(target, { ...done, actor: { kind: 'person', id, client }, sourceAddress: address });
    } else {
      await this.record(target, { ...done, actor: { kind: 'anonymous' }, outcome: 'no_access' });
    }
  }
}
