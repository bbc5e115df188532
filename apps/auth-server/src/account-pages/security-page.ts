import { sendPage } from '#libs/pages';
import type { AccountMail } from '../accounts/account-mail.js';
import { isPassword } from '../accounts/accounts.js';
import type { Login } from '../accounts/login.js';
import { forgedPage } from '../interactions/pages.js';
import type { BrowserSessions } from '../provider/browsers/browser-sessions.js';
import { METHODS, type SecondFactors } from '../second-factors/second-factors.js';
import { waitSentence } from '../texts/texts.js';
import type { AccountChanges } from './account-changes.js';
import { codesPage } from './app-views.js';
import { seeOther, type OwnPage, type PersonVisit } from './person-door.js';
import { DONE, securityPage, type Done, type SecurityView } from './security-views.js';

/** What the page rests on. */
export interface SecurityPageParts {
  readonly provider: { readonly sessions: BrowserSessions };
  readonly login: Login;
  readonly mail: AccountMail;
  readonly factors: SecondFactors;
  readonly changes: AccountChanges;
}

/** How long ago a person may have signed in to change how they sign in. */
const FRESH_SECONDS = 15 * 60;
const NAME_CHARS_MAX = 60;

/** `{issuer}/account`: a person sees and changes how they sign in. */
export class SecurityPage implements OwnPage {
  constructor(private readonly parts: SecurityPageParts) {}

  /** Shows password, authenticator app, passkeys and recovery codes. */
  async show(visit: PersonVisit, problem?: SecurityView['problem']): Promise<void> {
    const { request, response, account, texts, csrf } = visit;
    const { factors } = this.parts;
    const [app, passkeys, registration, recoveryCodes] = await Promise.all([
      factors.apps.isEnrolled(account.id),
      factors.passkeys.list(account.id),
      account.emailVerified ? factors.passkeys.registration(account, boundTo(visit)) : undefined,
      factors.recoveryCodes.count(account.id),
    ]);
    const named = new URL(request.url ?? '', 'http://of.no.account').searchParams.get('done');
    const done = DONE.find((name) => name === named);
    sendPage(
      response,
      securityPage({
        account,
        texts,
        csrf,
        app,
        passkeys,
        registration,
        recoveryCodes,
        sessionsUrl: `${request.baseUrl}/sessions`,
        connectionsUrl: `${request.baseUrl}/account/connections`,
        ...(done === undefined || problem !== undefined ? {} : { done }),
        ...(problem === undefined ? {} : { problem }),
      }),
    );
  }

  /** Does what one of the page's forms asks for. */
  async act(visit: PersonVisit, form: URLSearchParams): Promise<void> {
    const { request, response, texts, account } = visit;
    if (account.federated && form.get('action') !== 'sign-out') {
      return sendPage(response, forgedPage(texts, texts.security.elsewhere));
    }
    switch (form.get('action')) {
      case 'sign-out':
        return this.#signOut(visit);
      case 'send-link': {
        const wanted = { email: account.email, address: request.address, language: texts.language };
        const wait = await this.parts.mail.request('verify_email', wanted);
        return wait > 0 ? this.#refuse(visit, 429, waitSentence(texts, wait), wait) : done(visit, 'sent');
      }
      case 'change-password':
        return this.#changePassword(visit, form);
      case 'set-up-app':
      case 'remove-app':
      case 'add-passkey':
      case 'remove-passkey':
      case 'renew-codes':
        return this.#changeFactors(visit, form);
      default:
        return sendPage(response, forgedPage(texts, texts.messages.openAnew));
    }
  }

  async #changePassword(visit: PersonVisit, form: URLSearchParams): Promise<void> {
    const { request, response, account, texts } = visit;
    const password = form.get('new') ?? '';
    if (!isPassword(password)) return this.#refuse(visit, 422, texts.security.badPassword);
    const proof = await this.parts.login.provePassword(account, form.get('old') ?? '', request.address);
    if (proof.kind === 'limited') {
      return this.#refuse(visit, 429, waitSentence(texts, proof.retryAfterSeconds), proof.retryAfterSeconds);
    }
    if (proof.kind === 'wrong') return this.#refuse(visit, 401, texts.security.wrongPassword);
    const asked = { email: account.email, address: request.address, language: texts.language };
    await this.parts.mail.changePassword(account, password, asked);
    // Every session has ended, this one too; this browser goes on in a new one.
    await this.parts.provider.sessions.open(request, response, account.id, METHODS.password);
    done(visit, 'changed');
  }

  async #changeFactors(visit: PersonVisit, form: URLSearchParams): Promise<void> {
    if (!isFresh(visit)) return this.#signOut(visit);
    const { request, response, account, texts } = visit;
    const { factors, changes } = this.parts;
    switch (form.get('action')) {
      case 'set-up-app':
        return seeOther(response, `${request.baseUrl}/account/app`);
      case 'remove-app':
        await changes.remove(visit, 'app', (note) => factors.apps.remove(account.id, note));
        return done(visit, 'appRemoved');
      case 'remove-passkey':
        await changes.remove(visit, 'passkey', (note) =>
          factors.passkeys.remove(account.id, form.get('passkey') ?? '', note),
        );
        return done(visit, 'passkeyRemoved');
      case 'renew-codes':
        if (!(await factors.isNeeded(account.id))) return this.show(visit);
        return sendPage(response, codesPage(texts, await changes.renewCodes(visit), pageOf(visit)));
      default:
        return this.#addPasskey(visit, form);
    }
  }

  async #addPasskey(visit: PersonVisit, form: URLSearchParams): Promise<void> {
    const { response, account, texts } = visit;
    const name = nameIn(form) || texts.security.passkeyDefault;
    const given = form.get('credential') ?? '';
    // An address that nobody has proved may be another person's, who must find nothing of a stranger's in their account.
    const { factors, changes } = this.parts;
    const added = account.emailVerified
      ? await changes.enrol(visit, 'passkey', (note) =>
          factors.passkeys.register(account, name, given, boundTo(visit), note),
        )
      : undefined;
    if (added === undefined) return this.#refuse(visit, 422, texts.security.passkeyRefused);
    if (added.codes === undefined) return done(visit, 'passkeyAdded');
    sendPage(response, codesPage(texts, added.codes, pageOf(visit)));
  }

  async #refuse(visit: PersonVisit, status: number, message: string, retryAfterSeconds?: number): Promise<void> {
    await this.show(visit, { status, message, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) });
  }

  async #signOut(visit: PersonVisit): Promise<void> {
    await this.parts.provider.sessions.close(visit.request, visit.response);
    seeOther(visit.response, pageOf(visit));
  }
}

/** Whether a person signed in a short time ago; who did not signs in again before anything is changed. */
export function isFresh({ who }: PersonVisit): boolean {
  return Date.now() / 1_000 - who.signedInAt <= FRESH_SECONDS;
}

function done(visit: PersonVisit, what: Done): void {
  seeOther(visit.response, `${pageOf(visit)}?done=${what}`);
}

function pageOf({ request }: PersonVisit): string {
  return `${request.baseUrl}/account`;
}

function boundTo({ who }: PersonVisit): string {
  return `account|${who.uid}`;
}

/** A passkey's name without what could change how the page around it reads. */
function nameIn(form: URLSearchParams): string {
  return (form.get('name') ?? '')
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .trim()
    .slice(0, NAME_CHARS_MAX);
}
