import { html, type Page } from '#libs/pages';
import type { Refusal } from '../federation/asserted-person.js';

/** Sends the browser on. A page and not a redirect: browsers hold a form's policy against all that follows a redirect. */
export function leavingPage(name: string, url: string): Page {
  return {
    status: 200,
    title: `Going to ${name} – Wharf`,
    body: html`<h1>You are being sent to ${name}</h1>
      <p>You sign in there, and then come back here.</p>
      <p><a href="${url}">Continue to ${name}</a></p>`,
  };
}

/** Says why somebody could not be signed in with a provider, and what to do. */
export function failedPage(status: number, sentences: readonly string[], tryAgain?: string): Page {
  return {
    status,
    title: 'Sign-in failed – Wharf',
    body: html`<h1>You could not be signed in</h1>
      ${sentences.map((sentence) => html`<p>${sentence}</p>`)}
      ${
        tryAgain === undefined
          ? html`<p>Go back to your app and connect again from there.</p>`
          : html`<p><a href="${tryAgain}">Choose another way to sign in</a></p>`
      }`,
  };
}

/** What a person whom the tenant does not let in reads. */
export function refusalSentences(reason: Refusal, tenantName: string): string[] {
  const ask = `Ask an administrator of ${tenantName} for access.`;
  switch (reason) {
    case 'outside-domain':
      return [`Your provider named no e-mail address of a domain that ${tenantName} lets in.`, ask];
    case 'no-role':
      return [`None of your groups has access to ${tenantName}.`, ask];
    case 'groups-missing':
      return [
        'You are in more groups than fit into what your provider sends.',
        `An administrator of ${tenantName} can let the provider send only the groups that matter here.`,
      ];
    case 'not-a-member':
      return [`You are not a member of ${tenantName}, and signing in does not make you one.`, ask];
  }
}
