import type { EventDetails } from '#libs/audit';
import type { AccountAudit } from '../accounts/account-audit.js';
import type { AccountEvent, AccountEventName } from '../accounts/account-events.repository.js';
import type { AccountMail } from '../accounts/account-mail.js';
import type { Noting } from '../second-factors/noting.js';
import type { SecondFactors } from '../second-factors/second-factors.js';
import type { PersonVisit } from './person-door.js';

/** Makes a change and notes it in the same transaction; false where there was nothing to change. */
type Change = (note: Noting) => Promise<boolean>;

/** Changes to how a person signs in: each is recorded at their tenants, and they are told by mail. */
export class AccountChanges {
  constructor(
    private readonly factors: SecondFactors,
    private readonly mail: AccountMail,
    private readonly audit: AccountAudit,
  ) {}

  /** Adds a factor; the first one brings recovery codes, which are shown this once. Undefined where it was refused. */
  async enrol(
    visit: PersonVisit,
    factor: 'app' | 'passkey',
    change: Change,
  ): Promise<{ readonly codes: readonly string[] | undefined } | undefined> {
    if (!(await this.#noted(visit, { event: 'second_factor.enrolled', details: { factor } }, change))) return undefined;
    const left = await this.factors.recoveryCodes.count(visit.account.id);
    return { codes: left > 0 ? undefined : await this.factors.recoveryCodes.renew(visit.account.id) };
  }

  /** Takes a factor away; with the last one the recovery codes go. */
  async remove(visit: PersonVisit, factor: 'app' | 'passkey', change: Change): Promise<void> {
    if (!(await this.#noted(visit, { event: 'second_factor.removed', details: { factor } }, change))) return;
    if (!(await this.factors.isNeeded(visit.account.id))) await this.factors.recoveryCodes.clear(visit.account.id);
  }

  /** Makes new recovery codes. */
  async renewCodes(visit: PersonVisit): Promise<readonly string[]> {
    const codes: string[] = [];
    await this.#noted(visit, { event: 'recovery_codes.renewed' }, async (note) => {
      codes.push(...(await this.factors.recoveryCodes.renew(visit.account.id, note)));
      return true;
    });
    return codes;
  }

  async #noted(visit: PersonVisit, changed: EventDetails<AccountEventName>, change: Change): Promise<boolean> {
    const { account, request, texts } = visit;
    const kept: AccountEvent[] = [];
    const isChanged = await change(async (tx) => {
      kept.push(await this.audit.keep(tx, account.id, request.address, { ...changed, outcome: 'ok' }));
      await this.mail.notify(tx, account, 'secondFactorChanged', texts.language);
    });
    for (const event of kept) await this.audit.tellSoon(event);
    return isChanged;
  }
}
