import { OpenIdFailure } from '#libs/openid';
import { sendPage } from '#libs/pages';
import { seeOther, type OwnPage, type PersonVisit } from '../account-pages/person-door.js';
import type { BrowserCookie } from '../federated-sign-in/browser-cookie.js';
import { leavingPage } from '../federated-sign-in/pages.js';
import { forgedPage, messagePage } from '../interactions/pages.js';
import type { AttemptCounter } from '../limits/attempt-counter.js';
import { waitSentence } from '../texts/texts.js';
import { connectionsPage, type ConnectionsView } from './connections-views.js';
import type { LoginFlow } from './login-flow.js';
import { toldOf, type ConnectorName, type OwnConnection, type OwnConnections } from './own-connections.js';

/** What the page rests on. */
export interface ConnectionsPageParts {
  readonly own: OwnConnections;
  readonly flow: LoginFlow;
  readonly cookie: BrowserCookie;
  readonly attempts: AttemptCounter;
}

/** Departures of one person in 15 minutes: each asks somebody else's server. */
const DEPARTURES = { max: 50, windowSeconds: 15 * 60 };
const ONE = /\/account\/connections\/([a-z0-9-]{1,63})\/([a-z0-9-]{1,32})$/;

/**
 * `{issuer}/account/connections`, and one of them below it: a person sees where they are logged in, logs in, and ends it.
 * Nothing leaves for an upstream before they have read here for whom and to whom, and pressed a button: a link alone, or
 * an agent's consent, sends nobody anywhere (MCP security best practices, "Confused Deputy").
 */
export class ConnectionsPage implements OwnPage {
  constructor(private readonly parts: ConnectionsPageParts) {}

  async show(visit: PersonVisit, problem?: ConnectionsView['problem']): Promise<void> {
    const { request, response, account, texts, csrf } = visit;
    const url = new URL(request.url ?? '', 'http://of.no.account');
    const name = namedIn(url.pathname);
    const found = await this.#find(account.id, name);
    if (name !== undefined && found.length === 0) return this.#missing(visit);
    const done = url.searchParams.get('done') === 'connected' && problem === undefined;
    const accountUrl = `${request.baseUrl}/account`;
    const allUrl = name === undefined ? undefined : `${request.baseUrl}/account/connections`;
    const view = { texts, csrf, email: account.email, connections: found, done, accountUrl, allUrl };
    sendPage(response, connectionsPage(problem === undefined ? view : { ...view, problem }));
  }

  async act(visit: PersonVisit, form: URLSearchParams): Promise<void> {
    const { request, response, account, texts } = visit;
    const name = { tenantSlug: form.get('tenant') ?? '', connector: form.get('connector') ?? '' };
    const own = await this.parts.own.find(account.id, name);
    if (own === undefined) return this.#missing(visit);
    if (form.get('action') === 'connect') {
      // Changed since they read it: they read it again.
      return form.get('told') === toldOf(own) ? this.#leave(visit, own) : this.show(visit);
    }
    if (form.get('action') !== 'disconnect') return sendPage(response, forgedPage(texts, texts.messages.openAnew));
    await this.parts.own.end(own, account.id, request.address);
    seeOther(response, new URL(request.url ?? '', 'http://of.no.account').pathname);
  }

  async #leave(visit: PersonVisit, own: OwnConnection): Promise<void> {
    const { request, response, account, texts, who } = visit;
    const wait = await this.parts.attempts.take({ key: `connection|${account.id}`, ...DEPARTURES });
    if (wait > 0) {
      return this.show(visit, { status: 429, message: waitSentence(texts, wait), retryAfterSeconds: wait });
    }
    try {
      const url = await this.parts.flow.begin(own, who, this.parts.cookie.provide(request, response));
      response.setHeader('refresh', `0; url=${url}`);
      sendPage(response, leavingPage(texts, own.title, url));
    } catch (error) {
      if (!(error instanceof OpenIdFailure)) throw error;
      return this.show(visit, { status: 502, message: texts.connections.away(own.title) });
    }
  }

  async #find(accountId: string, name: ConnectorName | undefined): Promise<OwnConnection[]> {
    if (name === undefined) return this.parts.own.list(accountId);
    const found = await this.parts.own.find(accountId, name);
    return found === undefined ? [] : [found];
  }

  #missing({ response, texts, account }: PersonVisit): void {
    const { missing, missingWhy } = texts.connections;
    sendPage(response, messagePage(404, missing, [missingWhy(account.email)], texts));
  }
}

function namedIn(pathname: string): ConnectorName | undefined {
  const [, tenantSlug, connector] = ONE.exec(pathname) ?? [];
  return tenantSlug === undefined || connector === undefined ? undefined : { tenantSlug, connector };
}
