import { createHash } from 'node:crypto';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { securityHeaders } from '#libs/http';
import { Html, html } from './html.js';
import { LANGUAGES, type Language } from './language.js';
import { STYLE } from './style.js';

// The policy's hash is of exactly the text between the tags, so nothing may be laid out differently there.
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const STYLE_HASH = hashOf(STYLE);

/** One page for a person. */
export interface Page {
  readonly status: number;
  /** States the step; shown by the browser and read aloud first. */
  readonly title: string;
  readonly body: Html;
  /** Where a form's redirects may end beside ourselves: the redirect URI of the client. */
  readonly redirectUri?: string;
  readonly retryAfterSeconds?: number;
  /** The language of its sentences; English where nothing is said. */
  readonly language?: Language;
  /** A script of ours that the page cannot do everything without; allowed by its hash, and nothing else is. */
  readonly script?: string;
}

/** The page's text and the headers it must be sent with. */
export function renderPage(page: Page): { readonly text: string; readonly headers: OutgoingHttpHeaders } {
  const { text } = html`<!doctype html>
    <html lang="${page.language ?? LANGUAGES[0]}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${page.title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <main>${page.body}</main>
        ${page.script === undefined ? undefined : new Html(`<script>${page.script}</script>`)}
      </body>
    </html>`;
  return { text, headers: headersOf(page) };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

/** Answers with a page. */
export function sendPage(response: ServerResponse, page: Page): void {
  if (response.headersSent || response.destroyed) return;
  securityHeaders(response);
  const { text, headers } = renderPage(page);
  response.writeHead(page.status, headers).end(text);
}

function headersOf(page: Page): OutgoingHttpHeaders {
  return {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': [
      `default-src 'none'`,
      `style-src 'sha256-${STYLE_HASH}'`,
      ...(page.script === undefined ? [] : [`script-src 'sha256-${hashOf(page.script)}'`]),
      `form-action 'self'${page.redirectUri === undefined ? '' : ` ${formTarget(page.redirectUri)}`}`,
      `frame-ancestors 'none'`,
      `base-uri 'none'`,
    ].join('; '),
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    ...(page.retryAfterSeconds === undefined ? {} : { 'retry-after': String(page.retryAfterSeconds) }),
  };
}

/**
 * The source expression that lets a form's redirects end at the client. Browsers hold `form-action` against every
 * redirect after a submit; own schemes and IPv6 hosts have no expression but their scheme.
 */
function formTarget(redirectUri: string): string {
  const { protocol, origin, hostname } = new URL(redirectUri);
  const hasOrigin = (protocol === 'https:' || protocol === 'http:') && !hostname.startsWith('[');
  return hasOrigin ? origin : protocol;
}
