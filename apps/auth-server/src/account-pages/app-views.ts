import { renderSVG } from 'uqr';
import { Html, html, type Page } from '#libs/pages';
import { hidden, problemSummary } from '../interactions/form-parts.js';
import type { Texts } from '../texts/en.js';

/** What the page that sets up an authenticator app is about. */
export interface AppView {
  readonly texts: Texts;
  readonly csrf: string;
  readonly uri: string;
  readonly secret: string;
  readonly backUrl: string;
  readonly problem?: { readonly status: number; readonly message: string; readonly retryAfterSeconds?: number };
}

/** Shows what an authenticator app scans, and asks for its first code. */
export function appPage({ texts, csrf, uri, secret, backUrl, problem }: AppView): Page {
  const words = texts.app;
  // With the quiet zone of four modules that scanners need. Drawn here from numbers alone: nothing of the URI is in its text.
  const drawing = new Html(renderSVG(uri, { ecc: 'M', border: 4, pixelSize: 5 }));
  return {
    status: problem?.status ?? 200,
    language: texts.language,
    title: `${problem === undefined ? '' : texts.problem}${words.title} – Wharf`,
    ...(problem?.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: problem.retryAfterSeconds }),
    body: html`<h1>${words.title}</h1>
      ${problem === undefined ? undefined : problemSummary(problem.message)}
      <p>${words.scan}</p>
      <div class="drawing" role="img" aria-label="${words.qr}">${drawing}</div>
      <p>${words.orType}</p>
      <pre>${groupsOf(secret)}</pre>
      <form method="post" novalidate>
        ${hidden('csrf', csrf)}
        <label for="code">${words.code}</label>
        <input id="code" name="code" type="text" inputmode="numeric" autocomplete="one-time-code" required />
        <div class="actions"><button class="main" name="action" value="confirm">${words.submit}</button></div>
      </form>
      <p><a href="${backUrl}">${words.back}</a></p>`,
  };
}

/** Shows recovery codes, this once. */
export function codesPage(texts: Texts, codes: readonly string[], nextUrl: string): Page {
  return {
    status: 200,
    language: texts.language,
    title: `${texts.codes.title} – Wharf`,
    body: html`<h1>${texts.codes.title}</h1>
      <p>${texts.codes.keep}</p>
      <ul class="codes">
        ${codes.map((code) => html`<li><code>${code}</code></li>`)}
      </ul>
      <p><a class="button" href="${nextUrl}">${texts.codes.done}</a></p>`,
  };
}

function groupsOf(secret: string): string {
  return (secret.match(/.{1,4}/g) ?? []).join(' ');
}
