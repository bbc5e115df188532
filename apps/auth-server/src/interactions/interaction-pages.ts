import type { ServerResponse } from 'node:http';
import type { ConnectRecorder, RuleId } from '#libs/connect-attempts';
import type { AccessAudit } from '../access/access-audit.js';
import type { AccessRefusal, ResourceAccess, Target } from '../access/resource-access.js';
import type { Accounts } from '../accounts/accounts.js';
import type { SignIn, SignInProblem } from '../accounts/sign-in.js';
import type { SignInDoor } from '../federated-sign-in/sign-in-door.js';
import type { EndedInteraction } from '../provider/browsers/ended-interactions.js';
import type { InteractionDoor } from '../provider/browsers/interaction-door.js';
import type { PendingInteraction } from '../provider/browsers/pending-interaction.js';
import type { ReplayedRequest } from '../replayed-request.js';
import { toldBy } from '../exchange/passing-on.js';
import type { Arrived } from '../federated-sign-in/attempts.js';
import { LOGIN_RULES } from '../connect-attempts/rules-of-errors.js';
import type { FormGuard } from './form-guard.js';
import { sendPage } from '#libs/pages';
import { textsFor } from '../texts/texts.js';
import { noAccessPage, REFUSAL_DESCRIPTIONS } from './no-access.js';
import {
  consentPage,
  expiredPage,
  forgedPage,
  gonePage,
  loginPage,
  messagePage,
  signedOutPage,
  type FormContext,
} from './pages.js';

/** What the pages rest on. */
export interface InteractionParts {
  /** Its door is another one after a rotation of keys. */
  readonly provider: { readonly door: InteractionDoor };
  readonly access: ResourceAccess;
  readonly accounts: Accounts;
  readonly signIn: SignIn;
  /** Where somebody without a password gets a new one. */
  readonly forgotUrl: string;
  readonly audit: AccessAudit;
  readonly guard: FormGuard;
  readonly recorder: Pick<ConnectRecorder, 'note'>;
  readonly elsewhere: SignInDoor;
}

interface Visit {
  readonly request: ReplayedRequest;
  readonly response: ServerResponse;
  readonly context: FormContext;
}

/** The pages between an authorization request and its answer: sign-in and consent. */
export class InteractionPages {
  constructor(private readonly parts: InteractionParts) {}

  /** Answers `/interaction/{uid}`. */
  async handle(request: ReplayedRequest, response: ServerResponse, uid: string): Promise<void> {
    const texts = textsFor(request.headers['accept-language']);
    const interaction = await this.parts.provider.door.find(request, response);
    if (interaction === undefined || interaction.uid !== uid) return this.#sayEnded(request, response, uid);
    const target = await this.parts.access.findTarget(interaction.resource);
    if (target === undefined) return sendPage(response, gonePage(texts));
    if (target.suspended !== undefined) {
      return this.parts.provider.door.deny(request, response, target.suspended);
    }
    const offers = interaction.step === 'login' ? await this.parts.elsewhere.offers(target.tenantId) : [];
    const context = { interaction, target, csrf: this.parts.guard.tokenFor(interaction), texts, offers };
    const visit = { request, response, context };
    const arrived = await this.parts.elsewhere.arrivalAt(request, interaction.uid);
    if (arrived !== undefined) return this.#welcome(visit, arrived);
    if (request.method === 'GET' || request.method === 'HEAD') return this.#show(visit);
    if (request.method === 'POST') return this.#submitOnce(visit);
    response.setHeader('allow', 'GET, HEAD, POST');
    sendPage(response, messagePage(405, texts.messages.notPossible, [texts.startOver], texts));
  }

  async #show(visit: Visit): Promise<void> {
    const { response, context } = visit;
    const { accountId, step } = context.interaction;
    const account = accountId === undefined ? undefined : await this.parts.accounts.find(accountId);
    if (step === 'login' || account === undefined) return this.#showLogin(visit);
    const refusal = await this.parts.access.refusal(account.id, context.target);
    if (refusal === undefined) return sendPage(response, consentPage(context, account.email));
    // Noted here, for most people close the page without pressing its button.
    if (visit.request.method === 'GET') this.#noteStep(visit, 'consent', 'no_access');
    await this.#endDevice(visit, refusal);
    sendPage(response, noAccessPage(context, account.email, refusal));
  }

  async #showLogin({ request, response, context }: Visit, problem?: SignInProblem): Promise<void> {
    const step = await this.parts.signIn.step(request, boundTo(context));
    const { forgotUrl } = this.parts;
    sendPage(response, loginPage(context, step, { forgotUrl, ...(problem === undefined ? {} : { problem }) }));
  }

  /** The second post of a form may find that the first has ended the interaction under its hands. */
  async #submitOnce(visit: Visit): Promise<void> {
    const { uid } = visit.context.interaction;
    try {
      await this.#submit(visit);
    } catch (error) {
      const ended = await this.parts.provider.door.endedMeanwhile(uid, error);
      this.#answerEnded(visit.request, visit.response, ended);
    }
  }

  async #sayEnded(request: ReplayedRequest, response: ServerResponse, uid: string): Promise<void> {
    const ended = request.method === 'POST' ? await this.parts.provider.door.ended(uid) : undefined;
    this.#answerEnded(request, response, ended);
  }

  /** Sends whoever has the form where the interaction ended, as its first post was; everybody else, nowhere. */
  #answerEnded(request: ReplayedRequest, response: ServerResponse, ended: EndedInteraction | undefined): void {
    if (ended === undefined || !this.parts.guard.accepts(request, ended, request.form.get('csrf') ?? '')) {
      return sendPage(response, expiredPage(textsFor(request.headers['accept-language'])));
    }
    response.writeHead(303, { location: ended.location, 'cache-control': 'no-store' }).end();
  }

  async #submit(visit: Visit): Promise<void> {
    const { request, response, context } = visit;
    const form = request.form;
    if (!this.parts.guard.accepts(request, context.interaction, form.get('csrf') ?? '')) {
      return sendPage(response, forgedPage(context.texts, context.texts.startOver));
    }
    const action = form.get('action');
    if (action === 'deny') return this.#deny(visit);
    if (context.interaction.step === 'login') {
      if (await this.parts.elsewhere.answer(visit)) return;
      return this.#logIn(visit);
    }
    if (action === 'allow') return this.#allow(visit, toldBy(request.form, context.target));
    if (action === 'sign-out') return this.#signOut(visit);
    sendPage(response, forgedPage(context.texts, context.texts.startOver));
  }

  async #logIn(visit: Visit): Promise<void> {
    const { request, response, context } = visit;
    const towards = { clientId: context.interaction.clientId, target: context.target };
    const result = await this.parts.signIn.submit(request, response, boundTo(context), towards);
    switch (result.kind) {
      case 'signed-in':
        this.#noteStep(visit, 'login', 'ok');
        return this.parts.provider.door.signIn(request, response, result.accountId, result.methods);
      case 'next-step':
        response.writeHead(303, { location: request.url, 'cache-control': 'no-store' }).end();
        return;
      case 'problem':
        this.#noteStep(visit, 'login', LOGIN_RULES[result.problem.reason]);
        return this.#showLogin(visit, result.problem);
    }
  }

  /** Somebody is back from their tenant's provider; what the client asks for they allowed before they left. */
  async #welcome(visit: Visit, { accountId, told = [] }: Arrived): Promise<void> {
    const { request, response, context } = visit;
    this.#noteStep(visit, 'login', 'ok');
    if (!(await this.parts.access.allows(accountId, context.target))) {
      return this.parts.provider.door.signIn(request, response, accountId, []);
    }
    const interaction = { ...context.interaction, accountId };
    await this.#allow({ ...visit, context: { ...context, interaction } }, told);
  }

  async #allow(visit: Visit, told: readonly string[]): Promise<void> {
    const { request, response, context } = visit;
    const { interaction, target } = context;
    const { accountId } = interaction;
    if (accountId === undefined || !(await this.parts.access.allows(accountId, target))) return this.#show(visit);
    const { door } = this.parts.provider;
    if (!(await door.decides(interaction.uid))) return door.follow(request, response);
    const scopes = scopesToGrant(interaction, target);
    await this.#record(visit, 'consent.granted', 'ok', scopes);
    this.#noteStep(visit, 'consent', 'ok');
    await door.allow(request, response, { ...interaction, accountId, scopes, told });
  }

  async #deny(visit: Visit): Promise<void> {
    const { accountId } = visit.context.interaction;
    const refusal =
      accountId === undefined ? undefined : await this.parts.access.refusal(accountId, visit.context.target);
    const outcome = refusal === undefined ? 'refused' : 'no_access';
    await this.#record(visit, 'consent.refused', outcome, visit.context.interaction.scopes);
    if (outcome === 'refused') this.#noteStep(visit, 'consent', 'consent_refused');
    const description = refusal === undefined ? 'The person refused.' : REFUSAL_DESCRIPTIONS[refusal];
    await this.parts.provider.door.deny(visit.request, visit.response, description);
  }

  /** A device would wait for a decision that this person cannot make: it is told at once, and says what to do. */
  async #endDevice(visit: Visit, refusal: AccessRefusal): Promise<void> {
    const { request, response, context } = visit;
    if (context.interaction.redirectUri !== undefined) return;
    const ended = await this.parts.provider.door.endDevice(request, response, REFUSAL_DESCRIPTIONS[refusal]);
    if (ended) await this.#record(visit, 'consent.refused', 'no_access', context.interaction.scopes);
  }

  /** Another account is to be used: the agent still waits, so its request begins anew, with the sign-in page. */
  async #signOut({ request, response, context }: Visit): Promise<void> {
    const again = await this.parts.provider.door.signOut(request, response);
    if (again === undefined) return sendPage(response, signedOutPage(context.texts));
    const location = `${request.baseUrl}/authorize?${again}`;
    response.writeHead(303, { location, 'cache-control': 'no-store' }).end();
  }

  #noteStep({ request, context }: Visit, step: 'login' | 'consent', rule: 'ok' | RuleId): void {
    const { interaction, target } = context;
    if (target.scope !== 'mcp') return;
    this.parts.recorder.note({
      visit: { address: request.address, userAgent: request.headers['user-agent'] },
      step,
      rule,
      destination: {
        tenantId: target.tenantId,
        serverSlug: target.profileSlug ?? target.serverSlug,
        resource: target.url,
      },
      client: interaction.clientId,
      challenge: interaction.codeChallenge,
      ...(rule === 'ok' ? { identity: 'proven' } : {}),
    });
  }

  async #record(
    { request, context: { interaction, target } }: Visit,
    event: 'consent.granted' | 'consent.refused',
    outcome: 'ok' | 'refused' | 'no_access',
    scopes: readonly string[],
  ): Promise<void> {
    const { accountId, clientId, clientName, redirectUri } = interaction;
    await this.parts.audit.recordVisit(
      target,
      { accountId, clientId, address: request.address },
      { event, outcome, details: { client_name: clientName, redirect_uri: redirectUri, scopes } },
    );
  }
}

/** What was asked for, as far as it means something at the target. */
function scopesToGrant({ scopes }: PendingInteraction, { scopes: offered }: Target): string[] {
  return scopes.filter((asked) => offered.includes(asked) || asked === 'openid' || asked === 'offline_access');
}

/** The step of this browser that passkeys and the ticket after a password are bound to. */
function boundTo({ interaction: { uid } }: FormContext): string {
  return `interaction|${uid}`;
}
