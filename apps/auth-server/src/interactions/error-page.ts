import { html, type Page } from '#libs/pages';
import { standingIn } from '../access/why-suspended.js';
import { showPage, type Answer } from '../provider/browsers/show-page.js';
import type { ShownRefusal } from '../refusals/shown-refusal.js';
import type { Texts } from '../texts/en.js';
import { textsFor } from '../texts/texts.js';

/** What a person reads first. */
interface Words {
  readonly heading: string;
  readonly sentence: string;
}

/** The page about an OAuth error that is not sent to the client at once, in the language the browser asks for. */
function errorPage(status: number, refusal: ShownRefusal, acceptLanguage?: string): Page {
  const texts = textsFor(acceptLanguage);
  const { error, description, wayBack } = refusal;
  const { heading, sentence } = wordsFor(refusal, texts);
  const detail = `${error}${description === undefined ? '' : ` (${description})`}.`;
  return {
    status,
    language: texts.language,
    title: `${heading} – Wharf`,
    body: html`<h1>${heading}</h1>
      <p>${sentence}</p>
      ${
        wayBack === undefined
          ? undefined
          : html`<p>${texts.errors.wayBackWarning(wayBack.host)}</p>
              <p><a href="${wayBack.href}" rel="noreferrer">${texts.errors.wayBack(wayBack.host)}</a></p>`
      }
      <p>${texts.errors.forMaker} ${detail}</p>`,
  };
}

function wordsFor({ error, description, documentHost, rule }: ShownRefusal, { errors }: Texts): Words {
  if (documentHost !== undefined) return errors.client_document(documentHost);
  switch (error) {
    case 'invalid_client':
    case 'invalid_redirect_uri':
      return errors[error];
  }
  switch (rule) {
    case undefined:
      return error === 'invalid_request' ? errors.invalid_request : errors.other;
    case 'pkce_missing':
    case 'pkce_not_s256':
      return errors.pkce;
    case 'tenant_suspended':
      return errors[standingIn(description ?? '') ?? 'suspended'];
    case 'interaction_needed':
      return errors.interaction;
    case 'authorize_failed':
    case 'consent_refused':
    case 'request_uri_ended':
      return errors.other;
    default:
      return errors.request;
  }
}

/** What the page about an error is written into, and the language that is asked for. */
interface ErrorContext extends Answer {
  get(header: string): string;
}

/** Puts the page about an error into an answer of the provider. */
export function answerWithErrorPage(context: ErrorContext, refusal: ShownRefusal): void {
  showPage(context, errorPage(context.status, refusal, context.get('accept-language')));
}
