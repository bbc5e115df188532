import { Html, html, type Language, type Page } from '#libs/pages';
import type { TenantUrl } from '../edge/tenant-url.js';
import { GERMAN } from './texts.de.js';
import { ENGLISH, type ConnectTexts } from './texts.en.js';

const CATALOGUES: Readonly<Record<Language, ConnectTexts>> = { en: ENGLISH, de: GERMAN };

/** Tells a person who opened a tenant URL in a browser what it is and how an agent is connected to it. */
export function connectPage(target: TenantUrl, tenantName: string, language: Language): Page {
  const { resource: url } = target;
  const server = `${target.serverSlug?.replace('~', '-')}${target.major === undefined ? '' : `-${target.major}`}`;
  const name = target.serverSlug === undefined ? target.tenantSlug : `${target.tenantSlug}-${server}`;
  const texts = CATALOGUES[language];
  return {
    status: 200,
    language,
    title: `${texts.title(tenantName)} – Wharf`,
    body: html`<h1>${texts.heading(tenantName)}</h1>
      <p>${texts.what}</p>
      <label for="url">${texts.url}</label>
      <input id="url" type="url" readonly value="${url}" />
      <p class="note">${texts.next(tenantName)}</p>
      ${clientsAt(texts, name, url)}
      <h2>${texts.other}</h2>
      <p>${texts.otherHow}</p>`,
  };
}

/** The one answer for every URL that names nothing. */
export function nothingHere(language: Language): Page {
  const { nothing, nothingNext } = CATALOGUES[language];
  return {
    status: 404,
    language,
    title: `${nothing} – Wharf`,
    body: html`<h1>${nothing}</h1>
      <p>${nothingNext}</p>`,
  };
}

/** Says why a visitor gets no other page. */
export function refusalPage(status: number, sentence: string, language: Language): Page {
  const { refusedTitle, refused } = CATALOGUES[language];
  return {
    status,
    language,
    title: `${refusedTitle} – Wharf`,
    body: html`<h1>${refused}</h1>
      <p lang="en">${sentence}</p>`,
  };
}

function clientsAt(texts: ConnectTexts, name: string, url: string): Html {
  const cursor = JSON.stringify({ mcpServers: { [name]: { url } } }, null, 2);
  const vsCode = JSON.stringify({ servers: { [name]: { type: 'http', url } } }, null, 2);
  return html`<h2>Claude</h2>
    <ol>
      ${texts.claude(url)}
    </ol>
    <h2>ChatGPT</h2>
    <ol>
      ${texts.chatGpt(url)}
    </ol>
    <h2>Cursor</h2>
    <ol>
      ${texts.cursor}
    </ol>
    ${shown(cursor)}
    <p>${texts.cursorThen}</p>
    <h2>VS Code</h2>
    <ol>
      ${texts.vsCode}
    </ol>
    ${shown(vsCode)}
    <p>${texts.vsCodeThen}</p>
    <h2>Claude Code</h2>
    ${shown(`claude mcp add --transport http ${name} ${url}`)}
    <p>${texts.claudeCodeThen}</p>`;
}

/** Text exactly as it is to be copied. */
function shown(text: string): Html {
  const { text: escaped } = html`${text}`;
  return new Html(`<pre><code>${escaped}</code></pre>`);
}
