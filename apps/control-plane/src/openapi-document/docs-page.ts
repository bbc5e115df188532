import { createHash } from 'node:crypto';
import type { JsonSchema } from './json-schemas.js';
import type { OpenApiDocument, Operation } from './build-document.js';

const STYLE = `:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
h2{margin-top:3rem;border-bottom:1px solid}h3{margin-top:2rem}
code,pre{font-family:ui-monospace,monospace;font-size:.9rem}
pre{overflow-x:auto;padding:.75rem;border:1px solid}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0}
.skip{position:absolute;left:-999rem}.skip:focus{position:static}`;

/** The page's Content-Security-Policy: nothing but its own style. */
export const DOCS_POLICY = [
  `default-src 'none'`,
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Escaped text in which words between backticks are code. */
function prose(text: string): string {
  return escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function schemaBlock(label: string, schema: JsonSchema): string {
  const text = escape(JSON.stringify(schema, null, 2));
  return `<details><summary>${escape(label)}</summary><pre tabindex="0"><code>${text}</code></pre></details>`;
}

function parameterTable({ parameters }: Operation): string {
  if (parameters.length === 0) return '';
  const rows = parameters.map(
    ({ name, in: place, required, description = '' }) =>
      `<tr><th scope="row"><code>${escape(name)}</code></th><td>${place}</td><td>${required ? 'required' : 'optional'}</td><td>${prose(description)}</td></tr>`,
  );
  return `<table><caption>Parameters</caption><thead><tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Needed</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function responseTable({ responses }: Operation): string {
  const rows = Object.entries(responses).map(
    ([status, { description }]) => `<tr><th scope="row">${status}</th><td>${prose(description)}</td></tr>`,
  );
  return `<table><caption>Answers</caption><thead><tr><th scope="col">Status</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function operationSection(path: string, method: string, operation: Operation): string {
  const permission = operation['x-permission'];
  const schemas = [
    ...Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) =>
      schemaBlock(`Body (${type})`, schema),
    ),
    ...Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
      Object.entries(content)
        .filter(([type]) => type !== 'application/problem+json')
        .map(([type, { schema }]) => schemaBlock(`Answer ${status} (${type})`, schema)),
    ),
  ];
  return `<section aria-labelledby="${operation.operationId}"><h3 id="${operation.operationId}"><code>${method.toUpperCase()} ${escape(path)}</code></h3>
<p>${prose(operation.summary)}</p>${operation.description === undefined ? '' : `<p>${prose(operation.description)}</p>`}
<p>${permission === null ? 'Needs no credentials.' : `Needs the permission <code>${escape(permission)}</code>.`}</p>
${parameterTable(operation)}${schemas.join('')}${responseTable(operation)}</section>`;
}

/** A readable, accessible page of the document; it loads nothing. */
export function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const links = tags.map((tag) => `<li><a href="#tag-${escape(tag)}">${escape(tag)}</a></li>`);
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(tag));
    const parts = own.map(({ path, method, operation }) => operationSection(path, method, operation));
    return `<h2 id="tag-${escape(tag)}">${escape(tag)}</h2>${parts.join('\n')}`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(document.info.title)}</title><style>${STYLE}</style></head>
<body><a class="skip" href="#main">Skip to the content</a>
<header><h1>${escape(document.info.title)}</h1><p>${escape(document.info.description)}</p>
<p>The same as data: <a href="/v1/openapi.json">openapi.json</a>. Every refusal is a problem document (RFC 9457).</p></header>
<nav aria-label="Parts of the API"><ul>${links.join('')}</ul></nav>
<main id="main">${sections.join('\n')}</main></body></html>`;
}
