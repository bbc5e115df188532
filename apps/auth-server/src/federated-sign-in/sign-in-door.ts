import type { ServerResponse } from 'node:http';
import type { ConnectRecorder } from '#libs/connect-attempts';
import { OpenIdFailure } from '#libs/openid';
import { sendPage } from '#libs/pages';
import type { Logger } from '#libs/telemetry';
import type { Admission } from '../federation/admission.js';
import type { TenantProvider, TenantProviders } from '../federation/tenant-providers.js';
import type { FormGuard } from '../interactions/form-guard.js';
import { forwardPage, type FormContext, type OfferedProvider } from '../interactions/pages.js';
import type { AttemptCounter } from '../limits/attempt-counter.js';
import type { ReplayedRequest } from '../replayed-request.js';
import { waitSentence } from '../texts/texts.js';
import { toldBy } from '../exchange/passing-on.js';
import type { Arrived, Attempts } from './attempts.js';
import type { BrowserCookie } from './browser-cookie.js';
import { chosenBy, offerOf } from './choice.js';
import type { CodeFlow } from './code-flow.js';
import { noteProviderFailure, trailOf } from './connect-notes.js';
import { reasonOf } from './failure.js';
import { failedPage, leavingPage } from './pages.js';

/** Departures of one address in 15 minutes: each asks somebody else's server. */
const DEPARTURES = { max: 200, windowSeconds: 15 * 60 };

/** What the door rests on. */
export interface SignInDoorParts {
  readonly providers: TenantProviders;
  readonly attempts: Attempts;
  readonly flow: CodeFlow;
  readonly cookie: BrowserCookie;
  readonly admission: Pick<Admission, 'recordFailure'>;
  readonly guard: FormGuard;
  readonly counter: AttemptCounter;
  readonly recorder: Pick<ConnectRecorder, 'note'>;
  readonly logger: Logger;
}

/** What the sign-in page hands over when somebody may want to sign in with a provider of the tenant's. */
export interface SignInVisit {
  readonly request: ReplayedRequest;
  readonly response: ServerResponse;
  readonly context: FormContext;
}

/**
 * Between the sign-in page and a tenant's provider. Nothing leaves before the person has seen who asks for what and
 * where it goes, and agreed (MCP security best practices, "Confused Deputy").
 */
export class SignInDoor {
  constructor(private readonly parts: SignInDoorParts) {}

  /** The providers that the sign-in page of a tenant offers. */
  async offers(tenantId: string): Promise<OfferedProvider[]> {
    return (await this.parts.providers.list(tenantId)).map(offerOf);
  }

  /** Answers a form of the sign-in page that means a provider, its anti-forgery token checked; false for any other. */
  async answer(visit: SignInVisit): Promise<boolean> {
    const { request, response, context } = visit;
    const provider = chosenBy(request.form, await this.parts.providers.list(context.target.tenantId));
    if (provider === undefined) return false;
    const email = (request.form.get('email') ?? '').trim().slice(0, 320);
    if (request.form.get('action') === 'forward') await this.#forward(visit, provider, email);
    else sendPage(response, forwardPage(context, offerOf(provider), email));
    return true;
  }

  /** Who has just come back to this interaction, if its ticket says so; a ticket counts once. */
  async arrivalAt(request: ReplayedRequest, interaction: string): Promise<Arrived | undefined> {
    if (request.method !== 'GET') return undefined;
    const ticket = new URL(request.url ?? '', 'http://localhost').searchParams.get('ticket');
    const arrived = ticket === null ? undefined : await this.parts.attempts.redeem(ticket);
    return arrived?.interaction === interaction ? arrived : undefined;
  }

  async #forward({ request, response, context }: SignInVisit, provider: TenantProvider, email: string): Promise<void> {
    const { interaction, target, texts } = context;
    const retryAfterSeconds = await this.parts.counter.take({ key: `departure|${request.address}`, ...DEPARTURES });
    if (retryAfterSeconds > 0) {
      return sendPage(response, {
        ...failedPage(texts, 429, [waitSentence(texts, retryAfterSeconds)]),
        retryAfterSeconds,
      });
    }
    try {
      const browser = this.parts.cookie.provide(request, response);
      const hint = email === '' ? undefined : email;
      const url = await this.parts.flow.begin({
        provider,
        interaction,
        target,
        browser,
        hint,
        told: toldBy(request.form, target),
      });
      response.setHeader('refresh', `0; url=${url}`);
      sendPage(response, leavingPage(texts, provider.name, url));
    } catch (error) {
      if (!(error instanceof OpenIdFailure)) throw error;
      const arrival = { clientId: interaction.clientId, address: request.address, by: 'browser' } as const;
      const failure = { outcome: 'provider-away', reason: reasonOf(error) } as const;
      noteProviderFailure(this.parts.recorder, request, 'provider_away', {
        tenantId: target.tenantId,
        clientId: interaction.clientId,
        trail: trailOf(interaction, target),
      });
      await this.parts.admission.recordFailure(provider, arrival, failure);
      this.parts.logger.warn(
        { tenant: target.tenantId, provider: provider.id, reason: failure.reason },
        'a provider cannot be used',
      );
      sendPage(response, failedPage(texts, 502, [texts.federation.away(provider.name)], request.url));
    }
  }
}
