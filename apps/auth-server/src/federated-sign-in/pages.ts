import { html, type Page } from '#libs/pages';
import type { Refusal } from '../federation/asserted-person.js';
import type { Texts } from '../texts/en.js';

/** Sends the browser on. A page and not a redirect: browsers hold a form's policy against all that follows a redirect. */
export function leavingPage({ language, federation: words }: Texts, name: string, url: string): Page {
  return {
    status: 200,
    language,
    title: `${words.leavingTitle(name)} – Wharf`,
    body: html`<h1>${words.leaving(name)}</h1>
      <p>${words.leavingWhy}</p>
      <p><a href="${url}">${words.continueWith(name)}</a></p>`,
  };
}

/** Says why somebody could not be signed in with a provider, and what to do. */
export function failedPage(texts: Texts, status: number, sentences: readonly string[], tryAgain?: string): Page {
  const { language, startOver, federation: words } = texts;
  return {
    status,
    language,
    title: `${words.failedTitle} – Wharf`,
    body: html`<h1>${words.failed}</h1>
      ${sentences.map((sentence) => html`<p>${sentence}</p>`)}
      ${tryAgain === undefined ? html`<p>${startOver}</p>` : html`<p><a href="${tryAgain}">${words.otherWay}</a></p>`}`,
  };
}

/** What a person whom the tenant does not let in reads. */
export function refusalSentences({ federation: words }: Texts, reason: Refusal, tenantName: string): string[] {
  const ask = words.ask(tenantName);
  switch (reason) {
    case 'outside-domain':
      return [words.outsideDomain(tenantName), ask];
    case 'no-role':
      return [words.noRole(tenantName), ask];
    case 'groups-missing':
      return [words.groupsMissing, words.groupsMissingAsk(tenantName)];
    case 'not-a-member':
      return [words.notAMember(tenantName), ask];
  }
}
