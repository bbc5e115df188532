import { createHash } from 'node:crypto';
import type { OpenApiDocument } from './build-document.js';
import type { Operation } from './operation.js';
import { DOCS_STYLE } from './docs-style.js';
import { errorTable } from './error-docs.js';
import { FieldTables } from './field-table.js';
import { code, escape, prose } from './html.js';
import type { JsonSchema } from './json-schemas.js';

/** The page's Content-Security-Policy: nothing but its own style. */
export const DOCS_POLICY = [
  `default-src 'none'`,
  `style-src 'sha256-${createHash('sha256').update(DOCS_STYLE).digest('base64')}'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

/** The order a newcomer needs the parts in; a part that is not named here comes before the operators'. */
const ORDER = ['signup', 'tenant', 'servers', 'artefacts', 'secrets', 'api-keys', 'members', 'audit'];
const LAST = ['operators', 'docs', 'openapi.json'];

function rank(tag: string): number {
  if (LAST.includes(tag)) return 100 + LAST.indexOf(tag);
  return ORDER.includes(tag) ? ORDER.indexOf(tag) : ORDER.length;
}

function parameterTable({ parameters }: Operation): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(
    ({ name, in: place, required, description = '' }) =>
      `<tr><th scope="row">${code(name)}</th><td>${place}</td><td>${required ? 'required' : 'optional'}</td><td>${prose(description)}</td></tr>`,
  );
  return `<table><caption>Parameters</caption><thead><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Needed</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function responseTable({ responses }: Operation): string {
  const rows = Object.entries(responses).map(
    ([status, { description }]) => `<tr><th scope="row">${status}</th><td>${prose(description)}</td></tr>`,
  );
  return `<table><caption>Answers</caption><thead><tr><th scope="col">Status</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function bodiesOf(operation: Operation): Array<{ label: string; schema: JsonSchema }> {
  const sent = Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) => ({
    label: `Body (${type})`,
    schema,
  }));
  const received = Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
    Object.entries(content)
      .filter(([type]) => type !== 'application/problem+json')
      .map(([type, { schema }]) => ({ label: `Answer ${status} (${type})`, schema })),
  );
  return [...sent, ...received];
}

function schemaBlock({ label, schema }: { label: string; schema: JsonSchema }, tables: FieldTables): string {
  const table = tables.of(label, schema);
  const text = escape(JSON.stringify(schema, null, 2));
  const raw = `<pre tabindex="0"><code>${text}</code></pre>`;
  return label.startsWith('Body') && table !== ''
    ? `${table}<details><summary>JSON Schema of the body</summary>${raw}</details>`
    : `<details><summary>${escape(label)}</summary>${table}${raw}</details>`;
}

function operationSection(path: string, method: string, operation: Operation, tables: FieldTables): string {
  const permission = operation['x-permission'];
  const needs =
    permission === null
      ? operation['x-served-by'] === undefined
        ? 'Needs no credentials.'
        : 'Needs an access token.'
      : `Needs the permission <code>${escape(permission)}</code>.`;
  const bodies = bodiesOf(operation).map((body) => schemaBlock(body, tables));
  return `<section aria-labelledby="${operation.operationId}"><h3 id="${operation.operationId}"><code><span class="method">${method.toUpperCase()}</span> ${escape(path)}</code></h3>
<p>${prose(operation.summary)}</p>${operation.description === undefined ? '' : `<p>${prose(operation.description)}</p>`}
<p class="needs">${needs}</p>
${parameterTable(operation)}${bodies.join('')}${responseTable(operation)}</section>`;
}

function introduction(document: OpenApiDocument): string {
  return `<h1>${escape(document.info.title)}</h1><p>${prose(document.info.description)}</p>
<p>Send an API key as <code>Authorization: Bearer whk_…</code> or <code>X-API-Key: whk_…</code>; sign-up gives the first one.
Operators send their own key (<code>who_…</code>) as bearer token. Bodies are JSON, names are <code>snake_case</code>, times
are UTC. Every refusal is a problem document (RFC 9457) that says what to correct, with the <code>request_id</code> to ask us by.
A POST may carry an <code>Idempotency-Key</code> of yours: sent again within a day, it is answered again and not done again.
What is answered with an <code>ETag</code> is changed safely by sending that as <code>If-Match</code>. The same as data:
<a href="/v1/openapi.json">openapi.json</a>.</p>`;
}

/** A readable, accessible page of the document; it loads nothing. */
export function docsPage(document: OpenApiDocument): string {
  const tables = new FieldTables(document.components.schemas);
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))].sort(
    (left, right) => rank(left) - rank(right),
  );
  const links = tags.map((tag) => `<li><a href="#tag-${escape(tag)}">${escape(tag)}</a></li>`);
  links.push('<li><a href="#errors">errors</a></li>');
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag));
    const parts = own.map(({ path, method, operation }) => operationSection(path, method, operation, tables));
    return `<h2 id="tag-${escape(tag)}">${escape(tag)}</h2>${parts.join('\n')}`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(document.info.title)}</title><style>${DOCS_STYLE}</style></head>
<body><a class="skip" href="#main">Skip to the content</a>
<header>${introduction(document)}</header>
<nav aria-label="Parts of the API"><ul>${links.join('')}</ul></nav>
<main id="main">${sections.join('\n')}${errorTable()}</main></body></html>`;
}
