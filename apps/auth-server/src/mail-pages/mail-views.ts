import { html, type Page } from '#libs/pages';
import { hidden, problemSummary } from '../interactions/form-parts.js';
import type { Texts } from '../texts/en.js';

/** What went wrong with a form that is shown again. */
export interface MailProblem {
  readonly status: number;
  readonly message: string;
  readonly retryAfterSeconds?: number;
}

/** What a link was opened with. */
export interface LinkForm {
  readonly csrf: string;
  readonly token: string;
  readonly email: string;
}

/** Asks where to send a link for a new password. */
export function forgotPage(texts: Texts, csrf: string, problem?: MailProblem): Page {
  const words = texts.forgot;
  return {
    ...head(texts, words.title, problem),
    body: html`<h1>${words.title}</h1>
      ${problem === undefined ? undefined : problemSummary(problem.message)}
      <p>${words.what}</p>
      <form method="post" novalidate>
        ${hidden('csrf', csrf)}
        <label for="email">${texts.signIn.email}</label>
        <input id="email" name="email" type="email" autocomplete="username" required />
        <div class="actions"><button class="main">${words.submit}</button></div>
      </form>`,
  };
}

/** Asks for the new password. */
export function resetPage(texts: Texts, { csrf, token, email }: LinkForm, problem?: MailProblem): Page {
  const words = texts.reset;
  return {
    ...head(texts, words.title, problem),
    body: html`<h1>${words.title}</h1>
      ${problem === undefined ? undefined : problemSummary(problem.message)}
      <p>${words.forWhom(email)}</p>
      <form method="post" novalidate>
        ${hidden('csrf', csrf)}${hidden('token', token)}
        <label for="new">${texts.security.newPassword}</label>
        <input id="new" name="new" type="password" autocomplete="new-password" required />
        <div class="actions"><button class="main">${words.submit}</button></div>
      </form>`,
  };
}

/** Asks whether an address is the person's own; opening the link alone proves nothing, because mail filters open links. */
export function verifyPage(texts: Texts, { csrf, token, email }: LinkForm): Page {
  const words = texts.verify;
  return {
    ...head(texts, words.title),
    body: html`<h1>${words.title}</h1>
      <p>${words.is(email)}</p>
      <form method="post">
        ${hidden('csrf', csrf)}${hidden('token', token)}
        <div class="actions"><button class="main">${words.submit}</button></div>
      </form>`,
  };
}

/** Says what was done, with the way to the sign-in. */
export function nextPage(texts: Texts, heading: string, sentence: string, signInUrl: string): Page {
  return {
    ...head(texts, heading),
    body: html`<h1>${heading}</h1>
      <p role="status">${sentence}</p>
      <p><a class="button" href="${signInUrl}">${texts.forgot.signIn}</a></p>`,
  };
}

function head(texts: Texts, title: string, problem?: MailProblem): Omit<Page, 'body'> {
  return {
    status: problem?.status ?? 200,
    language: texts.language,
    title: `${problem === undefined ? '' : texts.problem}${title} – Wharf`,
    ...(problem?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: problem.retryAfterSeconds }),
  };
}
