import type { EventDetails } from '#libs/audit';
import type { AccountAudit } from '../accounts/account-audit.js';
import type { AccountEventName } from '../accounts/account-events.repository.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { SecondFactors } from '../second-factors/second-factors.js';
import type { PersonVisit } from './person-door.js';

/** Changes to how a person signs in: each is recorded at their tenants, and they are told by mail. */
export class AccountChanges {
  constructor(
    private readonly factors: SecondFactors,
    private readonly mail: AccountMail,
    private readonly audit: AccountAudit,
  ) {}

  /** Notes a new factor; the first one brings recovery codes, which are shown this once. */
  async enrolled(visit: PersonVisit, factor: 'app' | 'passkey'): Promise<readonly string[] | undefined> {
    await this.#note(visit, { event: 'second_factor.enrolled', details: { factor } });
    const left = await this.factors.recoveryCodes.count(visit.account.id);
    return left > 0 ? undefined : this.factors.recoveryCodes.renew(visit.account.id);
  }

  /** Notes that a factor is gone; with the last one the recovery codes go. */
  async removed(visit: PersonVisit, factor: 'app' | 'passkey'): Promise<void> {
    await this.#note(visit, { event: 'second_factor.removed', details: { factor } });
    if (!(await this.factors.isNeeded(visit.account.id))) await this.factors.recoveryCodes.clear(visit.account.id);
  }

  /** Makes new recovery codes. */
  async renewCodes(visit: PersonVisit): Promise<readonly string[]> {
    const codes = await this.factors.recoveryCodes.renew(visit.account.id);
    await this.#note(visit, { event: 'recovery_codes.renewed' });
    return codes;
  }

  async #note({ account, request, texts }: PersonVisit, changed: EventDetails<AccountEventName>): Promise<void> {
    await this.audit.record(account.id, request.address, { ...changed, outcome: 'ok' });
    await this.mail.notify(account, 'secondFactorChanged', texts.language);
  }
}
