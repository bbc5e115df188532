import { sendPage } from '#libs/pages';
import type { AttemptCounter } from '../limits/attempt-counter.js';
import type { SecondFactors } from '../second-factors/second-factors.js';
import { waitSentence } from '../texts/texts.js';
import type { AccountChanges } from './account-changes.js';
import { appPage, codesPage, type AppView } from './app-views.js';
import { seeOther, type OwnPage, type PersonVisit } from './person-door.js';
import { isFresh } from './security-page.js';

const WINDOW_SECONDS = 15 * 60;

/** `{issuer}/account/app`: a person sets up an authenticator app. */
export class AppPage implements OwnPage {
  constructor(
    private readonly factors: SecondFactors,
    private readonly changes: AccountChanges,
    private readonly attempts: AttemptCounter,
    private readonly attemptsMax: number,
  ) {}

  /** Shows the QR code; the same until the app is confirmed. */
  async show(visit: PersonVisit, problem?: AppView['problem']): Promise<void> {
    const { request, response, account, texts, csrf } = visit;
    const backUrl = `${request.baseUrl}/account`;
    const begun = account.emailVerified && isFresh(visit) ? await this.factors.apps.begin(account) : undefined;
    if (begun === undefined) return seeOther(response, backUrl);
    sendPage(response, appPage({ texts, csrf, backUrl, ...begun, ...(problem === undefined ? {} : { problem }) }));
  }

  /** Confirms the app by its first code. */
  async act(visit: PersonVisit, form: URLSearchParams): Promise<void> {
    const { request, response, account, texts } = visit;
    const pageUrl = `${request.baseUrl}/account`;
    if (!account.emailVerified || !isFresh(visit)) return seeOther(response, pageUrl);
    const allowance = { key: `enrol|${account.id}`, max: this.attemptsMax, windowSeconds: WINDOW_SECONDS };
    const wait = await this.attempts.take(allowance);
    if (wait > 0) {
      return this.show(visit, { status: 429, message: waitSentence(texts, wait), retryAfterSeconds: wait });
    }
    const code = (form.get('code') ?? '').replaceAll(/\s/g, '');
    const added = await this.changes.enrol(visit, 'app', (note) => this.factors.apps.confirm(account, code, note));
    if (added === undefined) return this.show(visit, { status: 422, message: texts.app.wrong });
    if (added.codes === undefined) return seeOther(response, pageUrl);
    sendPage(response, codesPage(texts, added.codes, pageUrl));
  }
}
