import type { ServerResponse } from 'node:http';
import { AppError } from '#libs/errors';
import { sendPage } from '#libs/pages';
import type { Logger } from '#libs/telemetry';
import { seeOther } from '../account-pages/person-door.js';
import { hashOfBrowser } from '../federated-sign-in/attempts.js';
import type { BrowserCookie } from '../federated-sign-in/browser-cookie.js';
import { isAnswerOfProvider, isAway, reasonOf } from '../federated-sign-in/failure.js';
import { messagePage } from '../interactions/pages.js';
import type { BrowserSessions } from '../provider/browsers/browser-sessions.js';
import type { ReplayedRequest } from '../replayed-request.js';
import type { Texts } from '../texts/en.js';
import { textsFor } from '../texts/texts.js';
import type { LoginAttempt, LoginAttempts } from './login-attempts.js';
import type { LoginFlow } from './login-flow.js';
import type { ConnectorName, OwnConnections } from './own-connections.js';

/** What coming back rests on. */
export interface WayBackParts {
  readonly attempts: LoginAttempts;
  readonly flow: LoginFlow;
  readonly own: OwnConnections;
  readonly cookie: BrowserCookie;
  readonly provider: { readonly sessions: BrowserSessions };
  readonly logger: Logger;
}

/**
 * Answers `/connections/{tenant}/{connector}/callback`: people who come back from an upstream. Only who began counts: the
 * same person, signed in at the same browser, at the address of the same connector, once.
 */
export class WayBack {
  constructor(private readonly parts: WayBackParts) {}

  async handle(request: ReplayedRequest, response: ServerResponse, name: ConnectorName): Promise<void> {
    const texts = textsFor(request.headers['accept-language']);
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET');
      return sendPage(response, messagePage(405, texts.connections.failed, [texts.connections.onlyBack], texts));
    }
    const query = new URL(request.url ?? '', 'http://of.no.account').searchParams;
    const attempt = await this.#attemptOf(request, response, { query, name });
    if (attempt === undefined) {
      return sendPage(response, messagePage(400, texts.connections.failed, [texts.connections.outdated], texts));
    }
    try {
      const granted = await this.parts.flow.finish(attempt, query);
      await this.parts.own.save(attempt, granted, request.address);
      seeOther(
        response,
        `${request.baseUrl}/account/connections/${attempt.tenantSlug}/${attempt.connector}?done=connected`,
      );
    } catch (error) {
      await this.#failed({ request, response, texts }, attempt, error);
    }
  }

  /** The attempt, taken; one of another person, browser or connector is left to its owner. */
  async #attemptOf(
    request: ReplayedRequest,
    response: ServerResponse,
    { query, name }: { readonly query: URLSearchParams; readonly name: ConnectorName },
  ): Promise<LoginAttempt | undefined> {
    const [states, browser] = [query.getAll('state'), this.parts.cookie.find(request)];
    const [state] = states;
    if (state === undefined || states.length > 1 || browser === undefined) return undefined;
    const found = await this.parts.attempts.find(state);
    if (found === undefined || found.tenantSlug !== name.tenantSlug || found.connector !== name.connector)
      return undefined;
    const who = await this.parts.provider.sessions.find(request, response);
    if (who?.accountId !== found.accountId || who.uid !== found.sessionUid) return undefined;
    return hashOfBrowser(browser) === found.browser ? this.parts.attempts.take(state) : undefined;
  }

  async #failed(
    { request, response, texts }: { request: ReplayedRequest; response: ServerResponse; texts: Texts },
    attempt: LoginAttempt,
    error: unknown,
  ): Promise<void> {
    const away = isAway(error);
    if (!away && !isAnswerOfProvider(error) && !(error instanceof AppError)) throw error;
    const reason = error instanceof AppError ? error.message : reasonOf(error);
    const { tenantId: tenant, connector } = attempt;
    this.parts.logger.warn({ tenant, connector, reason }, 'a login at an upstream did not come about');
    await this.parts.own.noteFailure(attempt, reason, request.address);
    const { failed, awayNow, refused, tryAgain } = texts.connections;
    const sentences = [away ? awayNow : refused, tryAgain];
    sendPage(response, messagePage(away ? 502 : 400, failed, sentences, texts));
  }
}
