import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { sendPage } from '#libs/pages';
import type { Accounts } from '../accounts/accounts.js';
import type { Login } from '../accounts/login.js';
import type { FormGuard } from '../interactions/form-guard.js';
import { messagePage } from '../interactions/pages.js';
import type { BrowserSessions, SignedIn } from '../provider/browser-sessions.js';
import type { ReplayedRequest } from '../replayed-request.js';
import type { OwnGrants } from './own-grants.js';
import { sessionsPage, signInPage, type SignInProblem } from './session-views.js';

/** What the page rests on. */
export interface SessionsPageParts {
  readonly issuer: URL;
  readonly provider: { readonly sessions: BrowserSessions };
  readonly accounts: Accounts;
  readonly login: Login;
  readonly own: OwnGrants;
  readonly guard: FormGuard;
}

const GRANT_ID = /^[0-9a-f]{64}$/;

/** `{issuer}/sessions`: a person signs in, sees which agents act for them at which tenants, and ends what they like. */
export class SessionsPage {
  constructor(private readonly parts: SessionsPageParts) {}

  /** Answers one request. */
  async handle(request: ReplayedRequest, response: ServerResponse): Promise<void> {
    const who = await this.parts.provider.sessions.find(request, response);
    if (request.method === 'GET' || request.method === 'HEAD') return this.#show(request, response, who);
    if (request.method !== 'POST') {
      response.setHeader('allow', 'GET, HEAD, POST');
      return sendPage(response, messagePage(405, 'This is not possible here', ['Open this page anew.']));
    }
    const bound = who === undefined ? this.#visitOf(request) : boundTo(who);
    const form = request.form;
    const given = form.get('csrf') ?? '';
    if (bound === undefined || !this.parts.guard.acceptsBound(request, bound, given)) return sendPage(response, FORGED);
    if (who === undefined) return this.#signIn(request, response, form);
    await this.#act(request, response, who, form);
  }

  async #show(request: ReplayedRequest, response: ServerResponse, who: SignedIn | undefined): Promise<void> {
    const account = who === undefined ? undefined : await this.parts.accounts.find(who.accountId);
    if (who === undefined || account === undefined) return this.#askIn(request, response);
    const grants = await this.parts.own.list({ accountId: account.id });
    sendPage(response, sessionsPage(account.email, grants, this.parts.guard.tokenBound(boundTo(who))));
  }

  async #act(
    request: ReplayedRequest,
    response: ServerResponse,
    { accountId }: SignedIn,
    form: URLSearchParams,
  ): Promise<void> {
    const grant = form.get('grant') ?? '';
    if (form.get('action') === 'sign-out') await this.parts.provider.sessions.close(request, response);
    else if (form.get('action') === 'revoke' && GRANT_ID.test(grant)) {
      // One that has ended meanwhile is as it was wanted.
      await this.parts.own.revoke({ accountId }, grant, request.address);
    } else return sendPage(response, FORGED);
    this.#again(response);
  }

  async #signIn(request: ReplayedRequest, response: ServerResponse, form: URLSearchParams): Promise<void> {
    const outcome = await this.parts.login.attempt({
      email: (form.get('email') ?? '').trim().toLowerCase().slice(0, 320),
      password: form.get('password') ?? '',
      address: request.address,
    });
    switch (outcome.kind) {
      case 'signed-in':
        await this.parts.provider.sessions.open(request, response, outcome.account.id);
        return this.#again(response);
      case 'refused':
        return this.#askIn(request, response, { status: 401, message: WRONG });
      case 'limited': {
        const { retryAfterSeconds } = outcome;
        const message = `Too many attempts. Wait ${Math.ceil(retryAfterSeconds / 60)} minutes, then try again.`;
        return this.#askIn(request, response, { status: 429, message, retryAfterSeconds });
      }
    }
  }

  /** The form is bound to a random cookie, so that no other site can sign somebody in as somebody else. */
  #askIn(request: ReplayedRequest, response: ServerResponse, problem?: SignInProblem): void {
    let bound = this.#visitOf(request);
    if (bound === undefined) {
      bound = randomBytes(16).toString('base64url');
      const secure = this.#secure ? '; Secure' : '';
      response.appendHeader('set-cookie', `${this.#cookie}=${bound}; Path=/; HttpOnly; SameSite=Strict${secure}`);
    }
    sendPage(response, signInPage(this.parts.guard.tokenBound(bound), problem));
  }

  #visitOf(request: ReplayedRequest): string | undefined {
    const cookies = (request.headers.cookie ?? '').split(';').map((cookie) => cookie.trim().split('='));
    const value = cookies.find(([name]) => name === this.#cookie)?.[1];
    return value !== undefined && /^[\w-]{22}$/.test(value) ? value : undefined;
  }

  get #secure(): boolean {
    return this.parts.issuer.protocol === 'https:';
  }

  get #cookie(): string {
    return this.#secure ? '__Host-wharf_visit' : 'wharf_visit';
  }

  #again(response: ServerResponse): void {
    response.writeHead(303, {
      location: `${this.parts.issuer.href.replace(/\/$/, '')}/sessions`,
      'cache-control': 'no-store',
    });
    response.end();
  }
}

function boundTo({ uid, accountId }: SignedIn): string {
  return `sessions|${uid}|${accountId}`;
}

const WRONG = 'E-mail or password is wrong. Check both and try again.';
const FORGED = messagePage(400, 'This form cannot be accepted', [
  'It did not come from the page we showed you, or that page is outdated. Open the page anew.',
]);
