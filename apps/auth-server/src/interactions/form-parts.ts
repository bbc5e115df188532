import { html, type Html } from '#libs/pages';
import type { SignInProblem, SignInStep } from '../accounts/sign-in.js';
import { waitSentence } from '../texts/texts.js';
import type { Texts } from '../texts/en.js';

/** A field of a form that people do not see. */
export function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}" />`;
}

/** Says what went wrong; read aloud and focused when the page opens. */
export function problemSummary(message: string): Html {
  return html`<div class="problem" id="problem" role="alert" tabindex="-1" autofocus>${message}</div>`;
}

/** Says what was done. */
export function doneSummary(message: string): Html {
  return html`<div class="done" role="status">${message}</div>`;
}

/** A sign-in form with what belongs around it. */
export interface SignInForm {
  readonly texts: Texts;
  readonly csrf: string;
  readonly step: SignInStep;
  readonly problem: SignInProblem | undefined;
  /** Where somebody without a password gets a new one. */
  readonly forgotUrl: string;
  /** Buttons beside those of the step. */
  readonly more: Html | undefined;
}

/** The form of a sign-in's present step, its problem first. */
export function signInForm(form: SignInForm): Html {
  const { problem, texts } = form;
  return html`${problem === undefined ? undefined : problemSummary(problemSentence(texts, problem))}
  ${form.step.kind === 'password' ? passwordForm(form, form.step) : factorForm(form, form.step)}`;
}

/** Whether a form is marked as wrong, or its first field gets the focus. */
function marks(problem: SignInProblem | undefined): { readonly described: Html; readonly focusFirst: Html } {
  return {
    described: problem === undefined ? html`` : html` aria-invalid="true" aria-describedby="problem"`,
    focusFirst: problem === undefined ? html` autofocus` : html``,
  };
}

function passwordForm(
  { texts, csrf, problem, forgotUrl, more }: SignInForm,
  { passkey }: Extract<SignInStep, { kind: 'password' }>,
): Html {
  const { described, focusFirst } = marks(problem);
  return html`<form method="post" novalidate>
    ${hidden('csrf', csrf)}
    <label for="email">${texts.signIn.email}</label>
    <input
      id="email"
      name="email"
      type="email"
      autocomplete="username"
      required
      value="${problem?.email ?? ''}"
      ${described}${focusFirst}
    />
    <label for="password">${texts.signIn.password}</label>
    <input id="password" name="password" type="password" autocomplete="current-password" required${described} />
    <div class="actions">
      <button class="main" name="action" value="login">${texts.signIn.submit}</button>
      ${passkeyButton(texts, 'get', passkey, texts.signIn.passkey)} ${more}
    </div>
    <p><a href="${forgotUrl}">${texts.signIn.forgot}</a></p>
  </form>`;
}

function factorForm(
  { texts, csrf, problem, more }: SignInForm,
  { app, email, passkey }: Extract<SignInStep, { kind: 'second-factor' }>,
): Html {
  const { described, focusFirst } = marks(problem);
  return html`<p>${texts.second.as(email)}</p>
    <form method="post" novalidate>
      ${hidden('csrf', csrf)}
      <label for="code">${app ? texts.second.code : texts.second.recoveryCode}</label>
      <input
        id="code"
        name="code"
        type="text"
        autocomplete="one-time-code"
        autocapitalize="none"
        spellcheck="false"
        required${described}${focusFirst}
      />
      <div class="actions">
        <button class="main" name="action" value="login">${texts.second.submit}</button>
        ${passkeyButton(texts, 'get', passkey, texts.second.passkey)}
        <button name="action" value="start-over">${texts.second.other}</button>
        ${more}
      </div>
    </form>`;
}

/** A button that asks the browser for a passkey or a new one; the page's script shows it where the browser can. */
export function passkeyButton(texts: Texts, kind: 'get' | 'create', options: string | undefined, label: string): Html {
  if (options === undefined) return html``;
  return html`<input type="hidden" name="credential" value="" />
    <button type="button" hidden data-passkey="${kind}" data-options="${options}">${label}</button>
    <p class="passkey-problem" role="alert" hidden>${texts.signIn.passkeyFailed}</p>`;
}

function problemSentence(texts: Texts, { reason, retryAfterSeconds }: SignInProblem): string {
  switch (reason) {
    case 'password':
      return texts.signIn.wrong;
    case 'passkey':
      return texts.signIn.wrongPasskey;
    case 'code':
      return texts.second.wrong;
    case 'limited':
      return waitSentence(texts, retryAfterSeconds ?? 0);
  }
}
