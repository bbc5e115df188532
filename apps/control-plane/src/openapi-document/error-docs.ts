import { ERROR_CATALOGUE, type ErrorCode } from '#libs/errors';
import { DOCS_STYLE } from './docs-style.js';
import { ERROR_HELP } from './error-help.js';
import { escape, prose } from './html.js';

const PATH = '/v1/docs/errors';
// The catalogue's own keys.
const CODES = Object.keys(ERROR_CATALOGUE) as ErrorCode[];

/** Every error of the catalogue, each with an anchor of its own and a link to where it is explained. */
export function errorTable(): string {
  const rows = CODES.map((code) => {
    const { status, title } = ERROR_CATALOGUE[code];
    return `<tr id="error-${code}"><th scope="row"><a href="${PATH}#${code}"><code>${code}</code></a></th><td>${status}</td><td>${escape(title)}</td></tr>`;
  });
  return `<h2 id="errors">Errors</h2><table><caption>Codes of problem documents</caption><thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** The page that problem documents lead to: when each error comes, and what to do. It loads nothing. */
export function errorsPage(): string {
  const links = CODES.map((code) => `<li><a href="#${code}">${code}</a></li>`);
  const sections = CODES.map((code) => {
    const { status, title } = ERROR_CATALOGUE[code];
    return `<section id="${code}" aria-labelledby="title-${code}"><h3 id="title-${code}"><code><span class="method">${status}</span> ${code}</code></h3><p>${escape(title)}</p><p>${prose(ERROR_HELP[code])}</p></section>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Errors of the Wharf management API</title><style>${DOCS_STYLE}</style></head>
<body><a class="skip" href="#main">Skip to the content</a>
<header><h1>Errors</h1><p>What a problem document’s <code>code</code> means, and what to do. Its <code>detail</code> is about your request;
tell the operator its <code>request_id</code> where you need help. All of the API: <a href="/v1/docs">the documentation</a>.</p></header>
<nav aria-label="Errors"><ul>${links.join('')}</ul></nav>
<main id="main">${sections.join('\n')}</main></body></html>`;
}
