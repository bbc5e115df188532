import { renderPage, type Page } from '#libs/pages';

/** What answers of the provider are written with. */
export interface Answer {
  status: number;
  body: unknown;
  set(header: string, value: string): void;
}

/** Answers a request of the provider's with a page of ours. */
export function showPage(answer: Answer, page: Page): void {
  const { text, headers } = renderPage(page);
  for (const [name, value] of Object.entries(headers)) answer.set(name, String(value));
  answer.status = page.status;
  answer.body = text;
}
