import type { ServerResponse } from 'node:http';
import type { ConnectRecorder, RuleId } from '#libs/connect-attempts';
import { sendPage } from '#libs/pages';
import type { Logger } from '#libs/telemetry';
import type { Admission, SignInFailure } from '../federation/admission.js';
import type { TenantProvider, TenantProviders } from '../federation/tenant-providers.js';
import type { ReplayedRequest } from '../replayed-request.js';
import type { Texts } from '../texts/en.js';
import { textsFor } from '../texts/texts.js';
import { isBrowserOf, type Attempt, type Attempts } from './attempts.js';
import type { BrowserCookie } from './browser-cookie.js';
import type { CodeFlow } from './code-flow.js';
import { noteProviderFailure } from './connect-notes.js';
import { isAnswerOfProvider, isAway, reasonOf } from './failure.js';
import { failedPage, refusalSentences } from './pages.js';

/** What the callback rests on. */
export interface CallbackParts {
  readonly issuer: URL;
  readonly providers: TenantProviders;
  readonly attempts: Attempts;
  readonly flow: CodeFlow;
  readonly cookie: BrowserCookie;
  readonly admission: Pick<Admission, 'recordFailure'>;
  readonly recorder: Pick<ConnectRecorder, 'note'>;
  readonly logger: Logger;
}

/** Answers `/federation/{tenant}/callback`: people who come back from their tenant's provider. */
export class Callback {
  constructor(private readonly parts: CallbackParts) {}

  async handle(request: ReplayedRequest, response: ServerResponse, tenantSlug: string): Promise<void> {
    const texts = textsOf(request);
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET');
      return sendPage(response, failedPage(texts, 405, [texts.federation.onlyBack]));
    }
    const query = new URL(request.url ?? '', this.parts.issuer).searchParams;
    const attempt = await this.#attemptOf(request, query, tenantSlug);
    if (attempt === undefined) return sendPage(response, failedPage(texts, 400, [texts.federation.outdated]));
    const provider = await this.parts.providers.find(attempt.tenantId, attempt.providerId);
    if (provider === undefined)
      return sendPage(response, failedPage(texts, 400, [texts.federation.gone], this.#back(attempt)));
    if (query.has('error')) return this.#turnedAway(request, response, { attempt, provider, query });
    await this.#finish(request, response, { attempt, provider, query });
  }

  /** The attempt, taken; one of another browser or tenant is left to its owner. */
  async #attemptOf(request: ReplayedRequest, query: URLSearchParams, slug: string): Promise<Attempt | undefined> {
    const [states, secret] = [query.getAll('state'), this.parts.cookie.find(request)];
    const [state] = states;
    if (state === undefined || states.length > 1 || secret === undefined) return undefined;
    const found = await this.parts.attempts.find(state);
    if (found === undefined || found.tenantSlug !== slug || !isBrowserOf(found, secret)) return undefined;
    return this.parts.attempts.take(state);
  }

  async #finish(request: ReplayedRequest, response: ServerResponse, returned: Returned): Promise<void> {
    const { attempt, provider, query } = returned;
    try {
      const state = query.get('state') ?? '';
      const outcome = await this.parts.flow.finish(provider, attempt, { state, query, address: request.address });
      if (outcome.kind === 'refused') {
        this.#note(request, attempt, 'provider_person_refused');
        const tenantName = await this.parts.providers.tenantName(attempt.tenantId);
        const texts = textsOf(request);
        const sentences = refusalSentences(texts, outcome.reason, tenantName);
        return sendPage(response, failedPage(texts, 403, sentences, this.#back(attempt)));
      }
      const { accountId } = outcome;
      const ticket = await this.parts.attempts.arrive({
        interaction: attempt.interaction,
        accountId,
        told: attempt.told,
      });
      response
        .writeHead(303, { location: `${this.#back(attempt)}?ticket=${ticket}`, 'cache-control': 'no-store' })
        .end();
    } catch (error) {
      await this.#failed(request, response, returned, error);
    }
  }

  /** The provider refused, or the person went back there. */
  async #turnedAway(request: ReplayedRequest, response: ServerResponse, returned: Returned): Promise<void> {
    const reason = returned.query.get('error')?.slice(0, 100) ?? '';
    this.#note(request, returned.attempt, 'provider_turned_away');
    await this.#record(request, returned, { outcome: 'turned-away', reason });
    const texts = textsOf(request);
    const sentences = [texts.federation.turnedAway(returned.provider.name)];
    sendPage(response, failedPage(texts, 403, sentences, this.#back(returned.attempt)));
  }

  async #failed(request: ReplayedRequest, response: ServerResponse, returned: Returned, error: unknown): Promise<void> {
    const { attempt, provider } = returned;
    const away = isAway(error);
    if (!away && !isAnswerOfProvider(error)) throw error;
    const reason = reasonOf(error);
    const { tenantId } = attempt;
    this.parts.logger.warn({ tenant: tenantId, provider: provider.id, reason }, 'a provider’s answer was refused');
    this.#note(request, attempt, away ? 'provider_away' : 'provider_answer_refused');
    await this.#record(request, returned, { outcome: away ? 'provider-away' : 'answer-refused', reason });
    const texts = textsOf(request);
    const sentence = away ? texts.federation.away(provider.name) : texts.federation.unverified(provider.name);
    sendPage(response, failedPage(texts, away ? 502 : 400, [sentence], this.#back(attempt)));
  }

  #note(request: ReplayedRequest, attempt: Attempt, rule: RuleId): void {
    noteProviderFailure(this.parts.recorder, request, rule, attempt);
  }

  async #record(
    request: ReplayedRequest,
    { attempt, provider }: Returned,
    failure: { readonly outcome: SignInFailure; readonly reason: string },
  ): Promise<void> {
    const arrival = { clientId: attempt.clientId, address: request.address, by: 'browser' } as const;
    await this.parts.admission.recordFailure(provider, arrival, failure);
  }

  #back({ interaction }: Attempt): string {
    return `${this.parts.issuer.pathname.replace(/\/$/, '')}/interaction/${interaction}`;
  }
}

interface Returned {
  readonly attempt: Attempt;
  readonly provider: TenantProvider;
  readonly query: URLSearchParams;
}

function textsOf(request: ReplayedRequest): Texts {
  return textsFor(request.headers['accept-language']);
}
