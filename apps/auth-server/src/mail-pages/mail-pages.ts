import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { sendPage, type Page } from '#libs/pages';
import { VisitCookie } from '../account-pages/visit-cookie.js';
import type { AccountMail } from '../accounts/account-mail.js';
import { isPassword } from '../accounts/accounts.js';
import { emailIn } from '../accounts/sign-in.js';
import type { FormGuard } from '../interactions/form-guard.js';
import { forgedPage, messagePage } from '../interactions/pages.js';
import type { ReplayedRequest } from '../replayed-request.js';
import type { Texts } from '../texts/en.js';
import { textsFor, waitSentence } from '../texts/texts.js';
import { forgotPage, nextPage, resetPage, verifyPage } from './mail-views.js';

/** Every answer takes at least as long, so that its time tells nobody whether there is an account. */
const ANSWER_MS = 150;

/** The pages around mails, which anybody may open. */
export type MailPageName = 'forgot' | 'reset' | 'verify';

interface MailVisit {
  readonly request: ReplayedRequest;
  readonly response: ServerResponse;
  readonly texts: Texts;
  readonly csrf: string;
}

/** `{issuer}/account/forgot`, `/reset` and `/verify`: asking for a link, and what links lead to. Opening a link changes nothing. */
export class MailPages {
  readonly #visits: VisitCookie;

  constructor(
    issuer: URL,
    private readonly mail: AccountMail,
    private readonly guard: FormGuard,
  ) {
    this.#visits = new VisitCookie(issuer);
  }

  /** Answers one request. */
  async handle(request: ReplayedRequest, response: ServerResponse, name: MailPageName): Promise<void> {
    const texts = textsFor(request.headers['accept-language']);
    if (request.method === 'GET' || request.method === 'HEAD') {
      const csrf = this.guard.tokenBound(this.#visits.provide(request, response));
      return this.#show({ request, response, texts, csrf }, name, tokenIn(request));
    }
    if (request.method !== 'POST') {
      response.setHeader('allow', 'GET, HEAD, POST');
      return sendPage(response, messagePage(405, texts.messages.notPossible, [texts.messages.openAnew], texts));
    }
    const bound = this.#visits.find(request);
    const csrf = request.form.get('csrf') ?? '';
    if (bound === undefined || !this.guard.acceptsBound(request, bound, csrf)) {
      return sendPage(response, forgedPage(texts, texts.messages.openAnew));
    }
    await this.#act({ request, response, texts, csrf }, name);
  }

  async #show({ response, texts, csrf }: MailVisit, name: MailPageName, token: string): Promise<void> {
    if (name === 'forgot') return sendPage(response, forgotPage(texts, csrf));
    const account = await this.mail.find(name === 'reset' ? 'reset_password' : 'verify_email', token);
    if (account === undefined) return sendPage(response, spentPage(texts, name));
    const form = { csrf, token, email: account.email };
    sendPage(response, name === 'reset' ? resetPage(texts, form) : verifyPage(texts, form));
  }

  async #act(visit: MailVisit, name: MailPageName): Promise<void> {
    switch (name) {
      case 'forgot':
        return this.#forgot(visit);
      case 'reset':
        return this.#reset(visit);
      case 'verify': {
        const { request, response, texts } = visit;
        const verified = await this.mail.verifyEmail(request.form.get('token') ?? '', request.address);
        const { done, doneNext } = texts.verify;
        return sendPage(response, verified ? messagePage(200, done, [doneNext], texts) : spentPage(texts, name));
      }
    }
  }

  async #forgot({ request, response, texts, csrf }: MailVisit): Promise<void> {
    const asked = { email: emailIn(request.form), address: request.address, language: texts.language };
    const [wait] = await Promise.all([this.mail.request('reset_password', asked), setTimeout(ANSWER_MS)]);
    if (wait > 0) {
      const problem = { status: 429, message: waitSentence(texts, wait), retryAfterSeconds: wait };
      return sendPage(response, forgotPage(texts, csrf, problem));
    }
    sendPage(response, nextPage(texts, texts.forgot.done, texts.forgot.doneNext, `${request.baseUrl}/account`));
  }

  async #reset({ request, response, texts, csrf }: MailVisit): Promise<void> {
    const token = request.form.get('token') ?? '';
    const password = request.form.get('new') ?? '';
    const account = await this.mail.find('reset_password', token);
    if (account === undefined) return sendPage(response, spentPage(texts, 'reset'));
    if (!isPassword(password)) {
      const problem = { status: 422, message: texts.security.badPassword };
      return sendPage(response, resetPage(texts, { csrf, token, email: account.email }, problem));
    }
    const asked = { email: account.email, address: request.address, language: texts.language };
    const isDone = await this.mail.resetPassword(token, password, asked);
    if (!isDone) return sendPage(response, spentPage(texts, 'reset'));
    sendPage(response, nextPage(texts, texts.reset.done, texts.reset.doneNext, `${request.baseUrl}/account`));
  }
}

function tokenIn(request: ReplayedRequest): string {
  return new URL(request.url ?? '', 'http://of.no.account').searchParams.get('token') ?? '';
}

function spentPage(texts: Texts, name: MailPageName): Page {
  const why = name === 'reset' ? texts.verify.spentReset : texts.verify.spentWhy;
  return messagePage(400, texts.verify.spent, [why], texts);
}
