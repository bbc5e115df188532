import type { ServerResponse } from 'node:http';
import { sendPage, type Page } from '#libs/pages';
import { html } from '#libs/pages';
import type { Account, Accounts } from '../accounts/accounts.js';
import type { SignIn, SignInProblem, SignInStep } from '../accounts/sign-in.js';
import type { FormGuard } from '../interactions/form-guard.js';
import { signInForm } from '../interactions/form-parts.js';
import { forgedPage, messagePage } from '../interactions/pages.js';
import { PASSKEY_SCRIPT } from '../interactions/passkey-script.js';
import type { BrowserSessions, SignedIn } from '../provider/browsers/browser-sessions.js';
import type { ReplayedRequest } from '../replayed-request.js';
import type { Texts } from '../texts/en.js';
import { textsFor } from '../texts/texts.js';
import { VisitCookie } from './visit-cookie.js';

/** A signed-in person at a page of their own. */
export interface PersonVisit {
  readonly request: ReplayedRequest;
  readonly response: ServerResponse;
  readonly account: Account;
  readonly who: SignedIn;
  readonly texts: Texts;
  /** The anti-forgery token of this page's forms. */
  readonly csrf: string;
}

/** What a page for signed-in people shows, and does with a form that was sent from it. */
export interface OwnPage {
  show(visit: PersonVisit): Promise<void>;
  act(visit: PersonVisit, form: URLSearchParams): Promise<void>;
}

/** What the door rests on. */
export interface PersonDoorParts {
  readonly issuer: URL;
  readonly provider: { readonly sessions: BrowserSessions };
  readonly accounts: Accounts;
  readonly signIn: SignIn;
  readonly guard: FormGuard;
}

/** Lets signed-in people through to pages of their own, and asks everybody else who they are. */
export class PersonDoor {
  readonly #visits: VisitCookie;

  constructor(private readonly parts: PersonDoorParts) {
    this.#visits = new VisitCookie(parts.issuer);
  }

  /** Answers one request for a page. */
  async open(request: ReplayedRequest, response: ServerResponse, page: OwnPage): Promise<void> {
    const texts = textsFor(request.headers['accept-language']);
    const who = await this.parts.provider.sessions.find(request, response);
    const account = who === undefined ? undefined : await this.parts.accounts.find(who.accountId);
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead && request.method !== 'POST') {
      response.setHeader('allow', 'GET, HEAD, POST');
      return sendPage(response, messagePage(405, texts.messages.notPossible, [texts.messages.openAnew], texts));
    }
    if (who === undefined || account === undefined) {
      return isRead ? this.#askIn(request, response, texts) : this.#signIn(request, response, texts);
    }
    const bound = boundTo(who);
    const visit = { request, response, account, who, texts, csrf: this.parts.guard.tokenBound(bound) };
    if (isRead) return page.show(visit);
    if (!this.#isOurs(request, bound)) return sendPage(response, forgedPage(texts, texts.messages.openAnew));
    await page.act(visit, request.form);
  }

  async #signIn(request: ReplayedRequest, response: ServerResponse, texts: Texts): Promise<void> {
    const bound = this.#visits.find(request);
    if (bound === undefined || !this.#isOurs(request, bound)) {
      return sendPage(response, forgedPage(texts, texts.messages.openAnew));
    }
    const result = await this.parts.signIn.submit(request, response, bound);
    if (result.kind === 'problem') return this.#askIn(request, response, texts, result.problem);
    if (result.kind === 'signed-in') {
      await this.parts.provider.sessions.open(request, response, result.accountId, result.methods);
    }
    seeOther(response, request.url ?? '/');
  }

  async #askIn(
    request: ReplayedRequest,
    response: ServerResponse,
    texts: Texts,
    problem?: SignInProblem,
  ): Promise<void> {
    const bound = this.#visits.provide(request, response);
    const step = await this.parts.signIn.step(request, bound);
    const csrf = this.parts.guard.tokenBound(bound);
    const forgotUrl = `${request.baseUrl}/account/forgot`;
    sendPage(response, askInPage(texts, step, { csrf, forgotUrl, problem }));
  }

  #isOurs(request: ReplayedRequest, bound: string): boolean {
    return this.parts.guard.acceptsBound(request, bound, request.form.get('csrf') ?? '');
  }
}

/** Goes on to another page of ours after a form (RFC 9110 §15.4.4). */
export function seeOther(response: ServerResponse, location: string): void {
  response.writeHead(303, { location, 'cache-control': 'no-store' }).end();
}

function askInPage(
  texts: Texts,
  step: SignInStep,
  form: { readonly csrf: string; readonly forgotUrl: string; readonly problem: SignInProblem | undefined },
): Page {
  const { problem } = form;
  const words = step.kind === 'password' ? texts.signIn : texts.second;
  return {
    status: problem?.status ?? 200,
    language: texts.language,
    title: `${problem === undefined ? '' : texts.problem}${words.title} – Wharf`,
    script: PASSKEY_SCRIPT,
    ...(problem?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: problem.retryAfterSeconds }),
    body: html`<h1>${step.kind === 'password' ? texts.signIn.headingOwn : texts.second.heading}</h1>
      ${signInForm({ ...form, texts, step, more: undefined })}`,
  };
}

function boundTo({ uid, accountId }: SignedIn): string {
  return `own-pages|${uid}|${accountId}`;
}
