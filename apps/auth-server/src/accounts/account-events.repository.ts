import type { AuditOutcome, EventDetails } from '#libs/audit';
import { newId, type Transaction } from '#libs/database';

/** What can happen to how a person signs in. */
export type AccountEventName =
  | 'second_factor.failed'
  | 'second_factor.enrolled'
  | 'second_factor.removed'
  | 'recovery_codes.renewed'
  | 'account.email_verified'
  | 'account.password_changed';

/** One such event, as who notes it says it. */
export type AccountEntry = EventDetails<AccountEventName> & { readonly outcome: AuditOutcome };

/** One that is kept until each log has it. */
export interface AccountEvent {
  readonly id: string;
  readonly accountId: string;
  readonly at: Date;
  readonly entry: AccountEntry;
  readonly address: string;
  /** Tenants whose log has it. */
  readonly told: readonly string[];
}

interface EventRow {
  readonly id: string;
  readonly account_id: string;
  readonly at: Date;
  readonly event: AccountEventName;
  readonly outcome: AuditOutcome;
  readonly details: unknown;
  readonly source_address: string;
  readonly told: string[];
}

/** Keeps an event from here on. */
export async function keepEvent(
  tx: Transaction,
  accountId: string,
  address: string,
  entry: AccountEntry,
): Promise<AccountEvent> {
  const id = newId();
  const [kept]: Array<{ at: Date }> = await tx.query(
    `insert into account_events (id, account_id, event, outcome, details, source_address)
     values ($1, $2, $3, $4, $5, $6) returning at`,
    [id, accountId, entry.event, entry.outcome, JSON.stringify(entry.details ?? {}), address],
  );
  return { id, accountId, at: kept?.at ?? new Date(), entry, address, told: [] };
}

/** Notes whose logs have it; nothing is kept of one that all have. */
export async function noteTold(tx: Transaction, id: string, told: readonly string[], left: 'some' | 'none') {
  if (left === 'none') await tx.query(`delete from account_events where id = $1`, [id]);
  else await tx.query(`update account_events set told = $2 where id = $1`, [id, told]);
}

/** Takes events that some log does not have yet, `limit` at most; nobody else takes them for a minute, or as long as they have waited, an hour at most. */
export async function claimEvents(tx: Transaction, limit: number): Promise<AccountEvent[]> {
  const [rows]: [EventRow[], number] = await tx.query(
    `update account_events set due_at = now() + least(greatest(now() - at, interval '1 minute'), interval '1 hour') where id in
       (select id from account_events where due_at <= now() order by due_at limit $1 for update skip locked)
     returning id, account_id, at, event, outcome, details, source_address, told`,
    [limit],
  );
  return rows.map(({ account_id: accountId, source_address: address, event, outcome, details, ...row }) => ({
    ...row,
    accountId,
    address,
    entry: { event, outcome, details } as AccountEntry, // as it was kept
  }));
}

/** The tenants of one database that a person was a member of then, whether they still are or not; `limit` at most after one. */
export async function tenantsOf(
  tx: Transaction,
  { accountId, at }: Pick<AccountEvent, 'accountId' | 'at'>,
  after: string | undefined,
  limit: number,
): Promise<string[]> {
  // Row-level security lets this service see the memberships of exactly this person, and those that have ended.
  await tx.query(`select set_config('app.account_id', $1, true)`, [accountId]);
  const rows: Array<{ tenant_id: string }> = await tx.query(
    `select tenant_id from (
       select tenant_id from members where account_id = $1 and date_trunc('milliseconds', created_at) <= $2
       union
       select tenant_id from past_members
       where account_id = $1 and date_trunc('milliseconds', joined_at) <= $2 and left_at >= $2) then_member
     where $3::uuid is null or tenant_id > $3 order by tenant_id limit $4`,
    [accountId, at, after ?? null, limit],
  );
  return rows.map((row) => row.tenant_id);
}
