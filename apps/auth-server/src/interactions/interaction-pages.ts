import type { ServerResponse } from 'node:http';
import type { AccessAudit } from '../access/access-audit.js';
import type { ResourceAccess, Target } from '../access/resource-access.js';
import type { Accounts } from '../accounts/accounts.js';
import type { Login } from '../accounts/login.js';
import type { SignInDoor } from '../federated-sign-in/sign-in-door.js';
import type { InteractionDoor, PendingInteraction } from '../provider/interaction-door.js';
import type { ReplayedRequest } from '../replayed-request.js';
import type { FormGuard } from './form-guard.js';
import { sendPage, type Page } from '#libs/pages';
import { consentPage, loginPage, messagePage, noAccessPage, type FormContext } from './pages.js';

/** What the pages rest on. */
export interface InteractionParts {
  readonly door: InteractionDoor;
  readonly access: ResourceAccess;
  readonly accounts: Accounts;
  readonly login: Login;
  readonly audit: AccessAudit;
  readonly guard: FormGuard;
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
    const interaction = await this.parts.door.find(request, response);
    if (interaction === undefined || interaction.uid !== uid) return sendPage(response, EXPIRED);
    const target = await this.parts.access.findTarget(interaction.resource);
    if (target === undefined) return sendPage(response, GONE);
    if (target.suspended) return this.parts.door.deny(request, response, 'The tenant of this resource is suspended.');
    const offers = interaction.step === 'login' ? await this.parts.elsewhere.offers(target.tenantId) : [];
    const context = { interaction, target, csrf: this.parts.guard.tokenFor(interaction), offers };
    const visit = { request, response, context };
    const arrived = await this.parts.elsewhere.arrivalAt(request, interaction.uid);
    if (arrived !== undefined) return this.#welcome(visit, arrived);
    if (request.method === 'GET' || request.method === 'HEAD') return this.#show(visit);
    if (request.method === 'POST') return this.#submit(visit);
    response.setHeader('allow', 'GET, HEAD, POST');
    sendPage(response, messagePage(405, 'This is not possible here', ['Go back to your app and connect again.']));
  }

  async #show({ response, context }: Visit): Promise<void> {
    sendPage(response, await this.#pageOf(context));
  }

  async #pageOf(context: FormContext): Promise<Page> {
    const { accountId, step } = context.interaction;
    const account = accountId === undefined ? undefined : await this.parts.accounts.find(accountId);
    if (step === 'login' || account === undefined) return loginPage(context);
    const allowed = await this.parts.access.allows(account.id, context.target);
    return allowed ? consentPage(context, account.email) : noAccessPage(context, account.email);
  }

  async #submit(visit: Visit): Promise<void> {
    const { request, response, context } = visit;
    const form = request.form;
    if (!this.parts.guard.accepts(request, context.interaction, form.get('csrf') ?? '')) {
      return sendPage(response, FORGED);
    }
    const action = form.get('action');
    if (action === 'deny') return this.#deny(visit);
    if (context.interaction.step === 'login') {
      if (await this.parts.elsewhere.answer(visit)) return;
      return this.#logIn(visit, form);
    }
    if (action === 'allow') return this.#allow(visit);
    if (action === 'sign-out') {
      await this.parts.door.signOut(request, response);
      return sendPage(response, SIGNED_OUT);
    }
    sendPage(response, FORGED);
  }

  async #logIn({ request, response, context }: Visit, form: URLSearchParams): Promise<void> {
    const email = (form.get('email') ?? '').trim().toLowerCase().slice(0, 320);
    const outcome = await this.parts.login.attempt({
      email,
      password: form.get('password') ?? '',
      address: request.address,
      towards: { clientId: context.interaction.clientId, target: context.target },
    });
    switch (outcome.kind) {
      case 'signed-in':
        return this.parts.door.signIn(request, response, outcome.account.id);
      case 'refused':
        return sendPage(response, loginPage(context, { status: 401, message: WRONG, email }));
      case 'limited': {
        const { retryAfterSeconds } = outcome;
        const message = `Too many attempts. Wait ${Math.ceil(retryAfterSeconds / 60)} minutes, then try again.`;
        return sendPage(response, loginPage(context, { status: 429, message, email, retryAfterSeconds }));
      }
    }
  }

  /** Somebody is back from their tenant's provider; what the client asks for they allowed before they left. */
  async #welcome(visit: Visit, accountId: string): Promise<void> {
    const { request, response, context } = visit;
    if (!(await this.parts.access.allows(accountId, context.target))) {
      return this.parts.door.signIn(request, response, accountId);
    }
    await this.#allow({ ...visit, context: { ...context, interaction: { ...context.interaction, accountId } } });
  }

  async #allow(visit: Visit): Promise<void> {
    const { request, response, context } = visit;
    const { interaction, target } = context;
    const { accountId } = interaction;
    if (accountId === undefined || !(await this.parts.access.allows(accountId, target))) return this.#show(visit);
    const scopes = scopesToGrant(interaction, target);
    await this.#record(visit, 'consent.granted', 'ok', scopes);
    await this.parts.door.allow(request, response, { ...interaction, accountId, scopes });
  }

  async #deny(visit: Visit): Promise<void> {
    const { accountId } = visit.context.interaction;
    const allowed = accountId !== undefined && (await this.parts.access.allows(accountId, visit.context.target));
    const outcome = accountId === undefined || allowed ? 'refused' : 'no_access';
    await this.#record(visit, 'consent.refused', outcome, visit.context.interaction.scopes);
    const description =
      outcome === 'refused'
        ? 'The person refused.'
        : 'This account may not use the resource; ask its tenant for access.';
    await this.parts.door.deny(visit.request, visit.response, description);
  }

  async #record(
    { request, context: { interaction, target } }: Visit,
    event: 'consent.granted' | 'consent.refused',
    outcome: string,
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
function scopesToGrant({ scopes }: PendingInteraction, { scope }: Target): string[] {
  return scopes.filter((asked) => asked === scope || asked === 'openid' || asked === 'offline_access');
}

const WRONG = 'E-mail or password is wrong. Check both and try again.';
const START_OVER = 'Go back to your app and connect again from there.';
const EXPIRED = messagePage(400, 'This page has expired', [
  'The connection was finished already, took longer than 15 minutes, or was begun in another browser.',
  START_OVER,
]);
const GONE = messagePage(404, 'This address does not exist any more', ['Ask whoever gave it to you for the new one.']);
const FORGED = messagePage(400, 'This form cannot be accepted', [
  'It did not come from the page we showed you, or that page is outdated.',
  START_OVER,
]);
const SIGNED_OUT = messagePage(200, 'You are signed out', [START_OVER, 'You can then sign in with another account.']);
