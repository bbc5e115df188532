import { appendAudit, type AuditEntry, type EventDetails } from '#libs/audit';
import { newId, type Database, type Transaction } from '#libs/database';
import type { GroupRole } from '#libs/openid';
import { endMembership } from '../grants/end-membership.js';
import { judge, type Claims, type Judgement, type Refusal } from './asserted-person.js';
import { endKeysOf } from './keys-of-leavers.js';
import type { TenantProvider } from './tenant-providers.js';

/** How a sign-in with a tenant's provider ended. */
export type AdmissionOutcome =
  | { readonly kind: 'admitted'; readonly accountId: string }
  | { readonly kind: 'refused'; readonly reason: Refusal };

/** Who the person is on the way to. */
export interface Arrival {
  readonly clientId: string;
  readonly address: string;
  /** A browser; or what an agent brought or began, which may leave out groups without meaning that there are none. */
  readonly by: 'browser' | 'assertion' | 'refresh';
}

/** Why nobody came of a sign-in before the provider's word could be judged, or after it was. */
export type SignInFailure = 'sign-in-ended' | 'turned-away' | 'provider-away' | 'answer-refused';

interface Known {
  readonly accountId: string;
  readonly role: string | null;
}

/**
 * Lets people of a tenant's provider in. A person is the tenant, the issuer and the subject together; e-mails are only
 * shown. Membership follows the provider at every sign-in: made, changed, and taken away with everything that agents
 * hold by it.
 */
export class Admission {
  constructor(private readonly database: Database) {}

  async admit(provider: TenantProvider, claims: Claims, arrival: Arrival): Promise<AdmissionOutcome> {
    const { tenantId, issuer } = provider;
    return this.database.asTenantWithShared(tenantId, async (tx, shared) => {
      await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [
        `federated-identity:${tenantId}|${issuer}|${claims.sub}`,
      ]);
      const known = await findKnown(tx, provider, claims.sub);
      const admitted = await this.#decide(tx, { provider, claims, arrival, known, shared });
      const isNews = arrival.by !== 'refresh' || admitted.kind === 'refused';
      if (isNews) await appendAudit(tx, tenantId, [signedIn(provider, arrival, admitted, known)]);
      return admitted;
    });
  }

  /** Notes in the tenant's log that nobody came of a sign-in, and why, for whoever looks after the provider. */
  async recordFailure(
    provider: TenantProvider,
    { clientId, address, by }: Arrival,
    { outcome, reason }: { readonly outcome: SignInFailure; readonly reason: string },
  ): Promise<void> {
    await this.database.asTenant(provider.tenantId, (tx) =>
      appendAudit(tx, provider.tenantId, [
        {
          event: 'login.failed',
          actor: { kind: 'anonymous' },
          target: `tenant:${provider.tenantId}`,
          outcome,
          details: {
            client: clientId,
            identity_provider: provider.id,
            by,
            reason,
            rule: `identity_provider.${outcome}`,
          },
          sourceAddress: address,
        },
      ]),
    );
  }

  async #decide(tx: Transaction, person: Person): Promise<AdmissionOutcome> {
    const { provider, claims, known } = person;
    const judgement = judge(provider, claims);
    if (judgement.kind === 'role') return this.#letIn(tx, person, judgement);
    if (judgement.reason === 'no-role' && isUntold(person) && known?.role != null) {
      return { kind: 'admitted', accountId: known.accountId };
    }
    // Groups that could not be told are no reason to take anything away.
    if (judgement.reason !== 'groups-missing') await expel(tx, person, judgement.reason);
    return judgement;
  }

  async #letIn(tx: Transaction, person: Person, { role, email, groups }: JudgedRole): Promise<AdmissionOutcome> {
    const { provider, known, arrival } = person;
    const mayJoin = provider.justInTime && arrival.by !== 'refresh';
    if (known?.role == null && !mayJoin) return { kind: 'refused', reason: 'not-a-member' };
    const accountId = known?.accountId ?? (await createAccount(tx, person));
    if (known?.role == null) await join(tx, person, accountId, role);
    else if (known.role !== role && known.role !== 'owner' && !isUntold(person))
      await changeRole(tx, person, accountId, role);
    if (!isUntold(person)) await setGroups(tx, person, accountId, groups);
    await noteSignIn(tx, person, accountId, email);
    return { kind: 'admitted', accountId };
  }
}

type JudgedRole = Extract<Judgement, { kind: 'role' }>;

/** Assertions and refreshes may leave groups out; then the last sign-in counts. */
function isUntold({ arrival, provider, claims }: Person): boolean {
  return arrival.by !== 'browser' && provider.groupClaim !== null && claims[provider.groupClaim] === undefined;
}

interface Person {
  readonly provider: TenantProvider;
  readonly claims: Claims;
  readonly arrival: Arrival;
  readonly known: Known | undefined;
  /** For accounts and what the authorization server holds of them, which are shared. */
  readonly shared: Transaction;
}

async function findKnown(tx: Transaction, provider: TenantProvider, subject: string): Promise<Known | undefined> {
  const rows: Known[] = await tx.query(
    `select f.account_id as "accountId", m.role from federated_identities f
     left join members m on m.tenant_id = f.tenant_id and m.account_id = f.account_id
     where f.tenant_id = $1 and f.issuer = $2 and f.subject = $3`,
    [provider.tenantId, provider.issuer, subject],
  );
  return rows[0];
}

/** The account is a shared row; a tenant with a database of its own has a copy of it there. */
async function createAccount(tx: Transaction, { provider, claims, shared }: Person): Promise<string> {
  const id = newId();
  for (const accounts of new Set([shared, tx]))
    await accounts.query(`insert into accounts (id, home_tenant_id) values ($1, $2)`, [id, provider.tenantId]);
  await tx.query(`insert into federated_identities (tenant_id, issuer, subject, account_id) values ($1, $2, $3, $4)`, [
    provider.tenantId,
    provider.issuer,
    claims.sub,
    id,
  ]);
  return id;
}

async function join(tx: Transaction, person: Person, accountId: string, role: GroupRole): Promise<void> {
  const { tenantId } = person.provider;
  await tx.query(`insert into members (tenant_id, account_id, role) values ($1, $2, $3)`, [tenantId, accountId, role]);
  await appendAudit(tx, tenantId, [aboutMember(person, accountId, { event: 'member.added', details: { role } })]);
}

async function changeRole(tx: Transaction, person: Person, accountId: string, role: GroupRole): Promise<void> {
  const { tenantId } = person.provider;
  await tx.query(`update members set role = $3 where tenant_id = $1 and account_id = $2`, [tenantId, accountId, role]);
  // Of the roles that a provider gives, only this one makes keys.
  const ended = role === 'admin' ? {} : { api_keys_revoked: await endKeysOf(tx, person.provider, accountId) };
  const details = { role, role_before: person.known?.role, ...ended };
  await appendAudit(tx, tenantId, [aboutMember(person, accountId, { event: 'member.role_changed', details })]);
}

/** A person's groups are those of the last sign-in; servers are opened by them. */
async function setGroups(tx: Transaction, person: Person, accountId: string, groups: readonly string[]): Promise<void> {
  const { tenantId } = person.provider;
  const [changed]: [unknown[], number] = await tx.query(
    `update members set groups = $3 where tenant_id = $1 and account_id = $2 and groups <> $3 returning account_id`,
    [tenantId, accountId, groups],
  );
  if (changed.length === 0) return;
  const details = { groups_count: groups.length };
  await appendAudit(tx, tenantId, [aboutMember(person, accountId, { event: 'member.groups_changed', details })]);
}

async function expel(tx: Transaction, person: Person, reason: Refusal): Promise<void> {
  const { known, provider } = person;
  if (known === undefined || known.role === null) return;
  const grantsEnded = await endMembership(tx, person.shared, { tenantId: provider.tenantId, ...known });
  const revoked = await endKeysOf(tx, provider, known.accountId);
  const details = { reason, role_before: known.role, grants_ended: grantsEnded, api_keys_revoked: revoked };
  const done = { event: 'member.removed', details } as const;
  await appendAudit(tx, provider.tenantId, [aboutMember(person, known.accountId, done)]);
}

async function noteSignIn(
  tx: Transaction,
  { provider: { tenantId }, shared }: Person,
  accountId: string,
  email: string | undefined,
): Promise<void> {
  await tx.query(`update federated_identities set signed_in_at = now() where tenant_id = $1 and account_id = $2`, [
    tenantId,
    accountId,
  ]);
  if (email === undefined) return;
  for (const accounts of new Set([shared, tx]))
    await accounts.query(
      `update accounts set asserted_email = $2 where id = $1 and asserted_email is distinct from $2`,
      [accountId, email],
    );
}

type MemberEvent = 'member.added' | 'member.role_changed' | 'member.groups_changed' | 'member.removed';

function aboutMember(
  { provider }: Person,
  accountId: string,
  done: EventDetails<MemberEvent>,
): AuditEntry<MemberEvent> {
  const actor = { kind: 'system', id: `identity-provider:${provider.id}` } as const;
  return { ...done, actor, target: `member:${accountId}`, outcome: 'ok' };
}

function signedIn(
  provider: TenantProvider,
  { clientId, address, by }: Arrival,
  outcome: AdmissionOutcome,
  known: Known | undefined,
): AuditEntry<'login.succeeded' | 'login.failed'> {
  const accountId = outcome.kind === 'admitted' ? outcome.accountId : known?.accountId;
  const rule = outcome.kind === 'admitted' ? {} : { rule: `identity_provider.${outcome.reason}` };
  const details = { client: clientId, identity_provider: provider.id, by, ...rule };
  return {
    event: outcome.kind === 'admitted' ? 'login.succeeded' : 'login.failed',
    actor:
      outcome.kind === 'admitted' ? { kind: 'person', id: outcome.accountId, client: clientId } : { kind: 'anonymous' },
    target: `tenant:${provider.tenantId}`,
    outcome: outcome.kind === 'admitted' ? 'ok' : outcome.reason,
    details: accountId === undefined ? details : { ...details, account: accountId },
    sourceAddress: address,
  };
}
