import type { Target } from '../access/resource-access.js';
import type { SignInProblem, SignInStep } from '../accounts/sign-in.js';
import type { PendingInteraction } from '../provider/browsers/pending-interaction.js';
import type { Texts } from '../texts/en.js';
import { ENGLISH } from '../texts/texts.js';
import { html, type Html } from '#libs/pages';
import type { Page } from '#libs/pages';
import { passedOnAt, toldAt } from '../exchange/passing-on.js';
import { hidden, signInForm } from './form-parts.js';
import { PASSKEY_SCRIPT } from './passkey-script.js';
import { scopeWords } from './scope-words.js';

/** What a page with a form is about. */
export interface FormContext {
  readonly interaction: PendingInteraction;
  readonly target: Target;
  /** The form's anti-forgery token. */
  readonly csrf: string;
  readonly texts: Texts;
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

/** Asks who it is: for e-mail and password or a passkey, then for the second factor. */
export function loginPage(
  { interaction, target, csrf, texts, offers = [] }: FormContext,
  step: SignInStep,
  { forgotUrl, problem }: { readonly forgotUrl: string; readonly problem?: SignInProblem },
): Page {
  const words = step.kind === 'password' ? texts.signIn : texts.second;
  const heading = step.kind === 'password' ? texts.signIn.headingAt(target.tenantName) : texts.second.heading;
  const more = html`<button name="action" value="deny">${texts.signIn.cancel}</button>`;
  return {
    status: problem?.status ?? 200,
    language: texts.language,
    title: `${problem === undefined ? '' : texts.problem}${words.title} – ${target.tenantName} – Wharf`,
    ...(interaction.redirectUri === undefined ? {} : { redirectUri: interaction.redirectUri }),
    script: PASSKEY_SCRIPT,
    ...(problem?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: problem.retryAfterSeconds }),
    body: html`<h1>${heading}</h1>
      ${step.kind === 'password' ? html`<p>${texts.signIn.why(target.url)}</p>` : undefined}
      ${signInForm({ texts, csrf, step, problem, forgotUrl, more })}
      ${offers.length === 0 || step.kind !== 'password' ? undefined : offersForm(offers, csrf, target.tenantName, texts)}`,
  };
}

function offersForm(offers: readonly OfferedProvider[], csrf: string, tenantName: string, texts: Texts): Html {
  const words = texts.federation;
  return html`<form method="post">
    ${hidden('csrf', csrf)}
    <p>${words.offer(tenantName)}</p>
    <div class="actions">
      ${offers.map(({ id, name }) => html`<button name="provider" value="${id}">${words.continueWith(name)}</button>`)}
    </div>
  </form>`;
}

/** Asks whether the client may act for the person at the target. */
export function consentPage(context: FormContext, email: string): Page {
  const words = context.texts.consent;
  return askConsent(context, {
    who: html`<dt>${words.as}</dt>
      <dd>${email}</dd>`,
    buttons: html`<button class="main" name="action" value="allow">${words.allow}</button>
      <button name="action" value="deny">${words.deny}</button>
      <button name="action" value="sign-out">${words.other}</button>`,
  });
}

/**
 * Asks the same before the person is sent to their tenant's provider; what they allow here counts when they come back.
 */
export function forwardPage(context: FormContext, { id, name, host }: OfferedProvider, email: string): Page {
  const { consent, federation: words } = context.texts;
  return askConsent(context, {
    who: html`<dt>${words.signInWith}</dt>
      <dd>${name} (${host})</dd>`,
    buttons: html`${hidden('provider', id)} ${hidden('email', email)}
      <button class="main" name="action" value="forward">${words.allowAndSignIn}</button>
      <button name="action" value="deny">${consent.deny}</button>`,
  });
}

function askConsent(
  { interaction, target, csrf, texts }: FormContext,
  { who, buttons }: { readonly who: Html; readonly buttons: Html },
): Page {
  const { host, ownComputer } = destinationOf(interaction.redirectUri, texts);
  const words = texts.consent;
  return {
    status: 200,
    language: texts.language,
    title: `${words.title} – ${target.tenantName} – Wharf`,
    ...(interaction.redirectUri === undefined ? {} : { redirectUri: interaction.redirectUri }),
    body: html`<h1>${words.heading(target.tenantName)}</h1>
      <dl>
        <dt>${words.name}</dt>
        <dd><bdi>${interaction.clientName ?? words.noName}</bdi></dd>
        <dt>${interaction.redirectUri === undefined ? words.runsOn : words.back}</dt>
        <dd>${host}</dd>
        <dt>${words.uses}</dt>
        <dd>${target.url}</dd>
        <dt>${words.means}</dt>
        ${interaction.scopes
          .filter((scope) => target.scopes.includes(scope))
          .map((scope) => html`<dd>${scopeWords(scope, target, texts)}</dd>`)}
        ${passingOn(target, texts)} ${who}
      </dl>
      ${ownComputer ? html`<p class="warning">${words.ownComputer}</p>` : undefined}
      <form method="post">
        ${hidden('csrf', csrf)} ${hidden('told', toldAt(target).join(' '))}
        <div class="actions">${buttons}</div>
      </form>`,
  };
}

/** The servers behind the target that may call others for the person, and which. */
function passingOn(target: Target, { consent: words }: Texts): Html {
  const passing = Map.groupBy(passedOnAt(target), ({ from }) => from);
  if (passing.size === 0) return html``;
  return html`<dt>${words.passesOn}</dt>
    ${[...passing].map(([from, lines]) => {
      return html`<dd>${words.passesOnTo(from, lines.map(({ to }) => to).join(', '))}</dd>`;
    })}`;
}

/** Says one thing, without a form. */
export function messagePage(
  status: number,
  heading: string,
  sentences: readonly string[],
  texts: Texts = ENGLISH,
): Page {
  return {
    status,
    language: texts.language,
    title: `${heading} – Wharf`,
    body: html`<h1>${heading}</h1>
      ${sentences.map((sentence) => html`<p>${sentence}</p>`)}`,
  };
}

/** Says that there is nothing to decide any more. */
export function expiredPage(texts: Texts): Page {
  return messagePage(400, texts.messages.expired, [texts.messages.expiredWhy, texts.startOver], texts);
}

/** Says that what was asked for is gone. */
export function gonePage(texts: Texts): Page {
  return messagePage(404, texts.messages.gone, [texts.messages.goneWhat], texts);
}

/** Says that another account may sign in, once the app has begun anew. */
export function signedOutPage(texts: Texts): Page {
  return messagePage(200, texts.messages.signedOut, [texts.startOver, texts.messages.signedOutNext], texts);
}

/** Says that a form did not come from the page that was shown for it. */
export function forgedPage(texts: Texts, next: string): Page {
  return messagePage(400, texts.messages.forged, [texts.messages.forgedWhy, next], texts);
}

function destinationOf(
  redirectUri: string | undefined,
  { consent }: Texts,
): { readonly host: string; readonly ownComputer: boolean } {
  if (redirectUri === undefined) return { host: consent.otherDevice, ownComputer: false };
  const { protocol, host, hostname } = new URL(redirectUri);
  if (protocol === 'https:') return { host, ownComputer: false };
  if (protocol !== 'http:') return { host: consent.installedApp(`${protocol}//${host}`), ownComputer: true };
  return { host: consent.ownComputerHost(host), ownComputer: hostname !== '' };
}
