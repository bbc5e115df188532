import type { Target } from '../access/resource-access.js';
import type { PendingInteraction } from '../provider/interaction-door.js';
import { html, type Html } from '#libs/pages';
import type { Page } from '#libs/pages';

/** What a page with a form is about. */
export interface FormContext {
  readonly interaction: PendingInteraction;
  readonly target: Target;
  /** The form's anti-forgery token. */
  readonly csrf: string;
  /** Providers of the tenant's own that people may sign in with. */
  readonly offers?: readonly OfferedProvider[];
}

/** A tenant's OpenID provider as its people see it. */
export interface OfferedProvider {
  readonly id: string;
  readonly name: string;
  /** The host that the person is sent to. */
  readonly host: string;
}

/** What went wrong with a form that is shown again. */
export interface FormProblem {
  readonly status: number;
  readonly message: string;
  readonly email: string;
  readonly retryAfterSeconds?: number;
}

/** Asks for e-mail and password. */
export function loginPage({ interaction, target, csrf, offers = [] }: FormContext, problem?: FormProblem): Page {
  const described = problem === undefined ? html`` : html` aria-invalid="true" aria-describedby="problem"`;
  const focusFirst = problem === undefined ? html` autofocus` : html``;
  return {
    status: problem?.status ?? 200,
    title: `${problem === undefined ? '' : 'Problem: '}Sign in – ${target.tenantName} – Wharf`,
    redirectUri: interaction.redirectUri,
    ...(problem?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: problem.retryAfterSeconds }),
    body: html`<h1>Sign in to ${target.tenantName}</h1>
      ${problem === undefined ? undefined : problemSummary(problem.message)}
      <p>An app wants to use <b>${target.url}</b> for you. You decide about that after you have signed in.</p>
      <form method="post" novalidate>
        ${hidden(csrf)}
        <label for="email">E-mail</label>
        <input
          id="email"
          name="email"
          type="email"
          autocomplete="username"
          required
          value="${problem?.email ?? ''}"
          ${described}${focusFirst}
        />
        <label for="password">Password</label>
        <input id="password" name="password" type="password" autocomplete="current-password" required${described} />
        <div class="actions">
          <button class="main" name="action" value="login">Sign in</button>
          <button name="action" value="deny">Cancel</button>
        </div>
      </form>
      ${offers.length === 0 ? undefined : offersForm(offers, csrf, target.tenantName)}`,
  };
}

function offersForm(offers: readonly OfferedProvider[], csrf: string, tenantName: string): Html {
  return html`<form method="post">
    ${hidden(csrf)}
    <p>People of ${tenantName} can sign in where they always do, or type their e-mail above and no password.</p>
    <div class="actions">
      ${offers.map(({ id, name }) => html`<button name="provider" value="${id}">Continue with ${name}</button>`)}
    </div>
  </form>`;
}

/** Asks whether the client may act for the person at the target. */
export function consentPage(context: FormContext, email: string): Page {
  return askConsent(context, {
    who: html`<dt>You are signed in as</dt>
      <dd>${email}</dd>`,
    buttons: html`<button class="main" name="action" value="allow">Allow</button>
      <button name="action" value="deny">Deny</button>
      <button name="action" value="sign-out">Use another account</button>`,
  });
}

/**
 * Asks the same before the person is sent to their tenant's provider; what they allow here counts when they come back.
 */
export function forwardPage(context: FormContext, { id, name, host }: OfferedProvider, email: string): Page {
  return askConsent(context, {
    who: html`<dt>You sign in with</dt>
      <dd>${name} (${host})</dd>`,
    buttons: html`<input type="hidden" name="provider" value="${id}" />
      <input type="hidden" name="email" value="${email}" />
      <button class="main" name="action" value="forward">Allow and sign in</button>
      <button name="action" value="deny">Deny</button>`,
  });
}

function askConsent(
  { interaction, target, csrf }: FormContext,
  { who, buttons }: { readonly who: Html; readonly buttons: Html },
): Page {
  const { host, ownComputer } = destinationOf(interaction.redirectUri);
  return {
    status: 200,
    title: `Allow access – ${target.tenantName} – Wharf`,
    redirectUri: interaction.redirectUri,
    body: html`<h1>Allow an app to use ${target.tenantName}?</h1>
      <dl>
        <dt>The app calls itself (nobody has checked this name)</dt>
        <dd>${interaction.clientName ?? 'It gives no name'}</dd>
        <dt>You are sent back to</dt>
        <dd>${host}</dd>
        <dt>It may use, as you</dt>
        <dd>${target.url}</dd>
        <dt>That means</dt>
        <dd>${MEANING[target.scope]}</dd>
        ${who}
      </dl>
      ${ownComputer ? OWN_COMPUTER : undefined}
      <form method="post">
        ${hidden(csrf)}
        <div class="actions">${buttons}</div>
      </form>`,
  };
}

/** Tells a person without access who can give it. */
export function noAccessPage({ interaction, target, csrf }: FormContext, email: string): Page {
  const missing =
    target.scope === 'mcp'
      ? html`is not a member of <b>${target.tenantName}</b>`
      : html`has no role at <b>${target.tenantName}</b> that may use its management API`;
  return {
    status: 403,
    title: `No access – ${target.tenantName} – Wharf`,
    redirectUri: interaction.redirectUri,
    body: html`<h1>You have no access to ${target.tenantName}</h1>
      <p>The account <b>${email}</b> ${missing}, so no app can use <b>${target.url}</b> for it.</p>
      <p>An owner or administrator of ${target.tenantName} can give you access. Then connect again from your app.</p>
      <form method="post">
        ${hidden(csrf)}
        <div class="actions">
          <button class="main" name="action" value="deny">Back to the app</button>
          <button name="action" value="sign-out">Use another account</button>
        </div>
      </form>`,
  };
}

/** Says one thing, without a form. */
export function messagePage(status: number, heading: string, sentences: readonly string[]): Page {
  return {
    status,
    title: `${heading} – Wharf`,
    body: html`<h1>${heading}</h1>
      ${sentences.map((sentence) => html`<p>${sentence}</p>`)}`,
  };
}

const MEANING = {
  mcp: 'List and call the tools behind this URL, with everything the tenant has connected to them.',
  management: 'Manage this tenant through the management API within your role: servers, releases, secrets and keys.',
} as const;

const OWN_COMPUTER = html`<p class="note">
  The app runs on your own computer. Any program on it can claim this name: allow it only if you have just started the
  connection yourself.
</p>`;

function hidden(csrf: string): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}" />`;
}

function problemSummary(message: string): Html {
  return html`<div class="problem" id="problem" role="alert" tabindex="-1" autofocus>${message}</div>`;
}

function destinationOf(redirectUri: string): { readonly host: string; readonly ownComputer: boolean } {
  const { protocol, host, hostname } = new URL(redirectUri);
  if (protocol === 'https:') return { host, ownComputer: false };
  if (protocol !== 'http:') return { host: `an app installed here (${protocol}//${host})`, ownComputer: true };
  return { host: `${host} (your own computer)`, ownComputer: hostname !== '' };
}
