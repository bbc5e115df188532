import { appendAudit, type EventDetails } from '#libs/audit';
import type { Database } from '#libs/database';

/** What can happen to how a person signs in. */
export type AccountEvent =
  | 'second_factor.failed'
  | 'second_factor.enrolled'
  | 'second_factor.removed'
  | 'recovery_codes.renewed'
  | 'account.email_verified'
  | 'account.password_changed';

/** More tenants than one person works for. */
const TENANTS_MAX = 100;

/** Writes what happens to a person's sign-in to the log of every tenant they are a member of. */
export class AccountAudit {
  constructor(private readonly database: Database) {}

  async record(
    accountId: string,
    address: string,
    entry: EventDetails<AccountEvent> & { readonly outcome: string },
  ): Promise<void> {
    const found = await this.database.everywhere(async (tx): Promise<Array<{ tenantId: string }>> => {
      // Row-level security lets this service see the memberships of exactly this person.
      await tx.query(`select set_config('app.account_id', $1, true)`, [accountId]);
      return tx.query(`select tenant_id as "tenantId" from members where account_id = $1 limit $2`, [
        accountId,
        TENANTS_MAX,
      ]);
    });
    // One tenant that is away keeps it from no other's log, but from being called recorded.
    let away: unknown;
    for (const { tenantId } of found.flat()) {
      const whole = {
        ...entry,
        actor: { kind: 'person', id: accountId },
        target: `account:${accountId}`,
        sourceAddress: address,
      } as const;
      await this.database
        .asTenant(tenantId, (tx) => appendAudit(tx, tenantId, [whole]))
        .catch((error: unknown) => (away ??= error));
    }
    if (away !== undefined) throw away;
  }
}
