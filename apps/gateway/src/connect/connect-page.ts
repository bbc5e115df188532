import { clientConfigs, clientName } from '#libs/client-configs';
import { Html, html, type Language, type Page } from '#libs/pages';
import type { TenantUrl } from '../edge/tenant-url.js';
import { GERMAN } from './texts.de.js';
import { ENGLISH, type ConnectTexts } from './texts.en.js';

const CATALOGUES: Readonly<Record<Language, ConnectTexts>> = { en: ENGLISH, de: GERMAN };

/** Tells a person who opened a tenant URL in a browser what it is and how an agent is connected to it. */
export function connectPage(target: TenantUrl, tenantName: string, language: Language): Page {
  const { resource: url } = target;
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
      ${clientsAt(texts, clientName(target), url)}
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
  const configs = new Map(clientConfigs({ name, url, credentials: 'sign_in' }).map((one) => [one.client, one]));
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
    ${shown(configs.get('cursor')?.config)}
    <p>${texts.cursorThen}</p>
    <h2>VS Code</h2>
    <ol>
      ${texts.vsCode}
    </ol>
    ${shown(configs.get('vscode')?.config)}
    <p>${texts.vsCodeThen}</p>
    <h2>Claude Code</h2>
    ${shown(configs.get('claude-code')?.command)}
    <p>${texts.claudeCodeThen}</p>`;
}

/** Text exactly as it is to be copied. */
function shown(text: string | null | undefined): Html {
  const { text: escaped } = html`${text ?? ''}`;
  return new Html(`<pre><code>${escaped}</code></pre>`);
}
