import type { Target } from '../access/resource-access.js';
import type { PendingInteraction } from '../provider/interaction-door.js';
import { html, type Html } from '#libs/pages';
import type { Page } from '#libs/pages';
import { scopeWords } from './scope-words.js';

/** What a page with a form is about. */
export interface FormContext {
  readonly interaction: PendingInteraction;
  readonly target: Target;
  /** The form's anti-forgery token. */
  readonly csrf: string;
}

/** What went wrong with a form that is shown again. */
export interface FormProblem {
  readonly status: number;
  readonly message: string;
  readonly email: string;
  readonly retryAfterSeconds?: number;
}

/** Asks for e-mail and password. */
export function loginPage({ interaction, target, csrf }: FormContext, problem?: FormProblem): Page {
  const described = problem === undefined ? html`` : html` aria-invalid="true" aria-describedby="problem"`;
  const focusFirst = problem === undefined ? html` autofocus` : html``;
  return {
    status: problem?.status ?? 200,
    title: `${problem === undefined ? '' : 'Problem: '}Sign in – ${target.tenantName} – Wharf`,
    ...(interaction.redirectUri === undefined ? {} : { redirectUri: interaction.redirectUri }),
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
      </form>`,
  };
}

/** Asks whether the client may act for the person at the target. */
export function consentPage({ interaction, target, csrf }: FormContext, email: string): Page {
  const { host, ownComputer } = destinationOf(interaction.redirectUri);
  return {
    status: 200,
    title: `Allow access – ${target.tenantName} – Wharf`,
    ...(interaction.redirectUri === undefined ? {} : { redirectUri: interaction.redirectUri }),
    body: html`<h1>Allow an app to use ${target.tenantName}?</h1>
      <dl>
        <dt>The app calls itself (nobody has checked this name)</dt>
        <dd>${interaction.clientName ?? 'It gives no name'}</dd>
        <dt>${interaction.redirectUri === undefined ? 'It runs on' : 'You are sent back to'}</dt>
        <dd>${host}</dd>
        <dt>It may use, as you</dt>
        <dd>${target.url}</dd>
        <dt>That means</dt>
        ${interaction.scopes
          .filter((scope) => target.scopes.includes(scope))
          .map((scope) => html`<dd>${scopeWords(scope, target)}</dd>`)}
        <dt>You are signed in as</dt>
        <dd>${email}</dd>
      </dl>
      ${ownComputer ? OWN_COMPUTER : undefined}
      <form method="post">
        ${hidden(csrf)}
        <div class="actions">
          <button class="main" name="action" value="allow">Allow</button>
          <button name="action" value="deny">Deny</button>
          <button name="action" value="sign-out">Use another account</button>
        </div>
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
    ...(interaction.redirectUri === undefined ? {} : { redirectUri: interaction.redirectUri }),
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

function destinationOf(redirectUri: string | undefined): { readonly host: string; readonly ownComputer: boolean } {
  if (redirectUri === undefined)
    return { host: 'another device, which shows the code you entered', ownComputer: false };
  const { protocol, host, hostname } = new URL(redirectUri);
  if (protocol === 'https:') return { host, ownComputer: false };
  if (protocol !== 'http:') return { host: `an app installed here (${protocol}//${host})`, ownComputer: true };
  return { host: `${host} (your own computer)`, ownComputer: hostname !== '' };
}
