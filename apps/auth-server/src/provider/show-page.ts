import type { KoaContextWithOIDC } from 'oidc-provider';
import { renderPage, type Page } from '#libs/pages';

/** Answers a request of the provider's with a page of ours. */
export function showPage(ctx: KoaContextWithOIDC, page: Page): void {
  const { text, headers } = renderPage(page);
  for (const [name, value] of Object.entries(headers)) ctx.set(name, String(value));
  ctx.status = page.status;
  ctx.body = text;
}
