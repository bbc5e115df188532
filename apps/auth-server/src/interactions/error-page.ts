import type { Page } from '#libs/pages';
import { showPage, type Answer } from '../provider/show-page.js';
import { textsFor } from '../texts/texts.js';
import { messagePage } from './pages.js';

/** The page about an OAuth error that cannot be sent back to the client, in the language the browser asks for. */
function errorPage(status: number, error: string, description: string | undefined, acceptLanguage?: string): Page {
  const texts = textsFor(acceptLanguage);
  const { forMaker, other, ...known } = texts.errors;
  const { heading, sentence } = Object.hasOwn(known, error) ? known[error as keyof typeof known] : other; // it is a key
  const detail = `${error}${description === undefined ? '' : ` (${description})`}.`;
  return messagePage(status, heading, [sentence, `${forMaker} ${detail}`], texts);
}

/** What the page about an error is written into, and the language that is asked for. */
interface ErrorContext extends Answer {
  get(header: string): string;
}

/** Puts the page about an error into an answer of the provider. */
export function answerWithErrorPage(context: ErrorContext, error: string, description: string | undefined): void {
  showPage(context, errorPage(context.status, error, description, context.get('accept-language')));
}
