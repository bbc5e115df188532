import { Html, html, type Page } from '#libs/pages';
import type { TenantUrl } from '../edge/tenant-url.js';

/** Tells a person who opened a tenant URL in a browser what it is and how an agent is connected to it. */
export function connectPage(target: TenantUrl, tenantName: string): Page {
  const { resource: url } = target;
  const name = target.serverSlug === undefined ? target.tenantSlug : `${target.tenantSlug}-${target.serverSlug}`;
  return {
    status: 200,
    title: `Connect to ${tenantName} – Wharf`,
    body: html`<h1>Connect your agent to ${tenantName}</h1>
      <p>This is an MCP URL: an address for AI agents and apps, not a page to read. Give it to yours:</p>
      <label for="url">URL to copy</label>
      <input id="url" type="url" readonly value="${url}" />
      <p class="note">
        Your app then opens a page where you sign in and decide what it may do. You need an account at ${tenantName}.
        Never put a password or key into the URL.
      </p>
      ${inClaude(url)}${inChatGpt(url)}${inCursor(name, url)}${inVsCode(name, url)}${inClaudeCode(name, url)}
      <h2>Any other MCP client</h2>
      <p>Add a remote server with the transport “Streamable HTTP” and this URL. It needs no key or client id.</p>`,
  };
}

/** The one answer for every URL that names nothing. */
export const NOTHING_HERE: Page = {
  status: 404,
  title: 'Nothing was found here – Wharf',
  body: html`<h1>Nothing was found here</h1>
    <p>Check the URL, or ask whoever gave it to you for the right one.</p>`,
};

/** Says why a visitor gets no other page. */
export function refusalPage(status: number, sentence: string): Page {
  return {
    status,
    title: 'Not available – Wharf',
    body: html`<h1>This URL is not available</h1>
      <p>${sentence}</p>`,
  };
}

function inClaude(url: string): Html {
  return html`<h2>Claude</h2>
    <ol>
      <li>Open Settings, then Connectors.</li>
      <li>Choose “Add custom connector”, paste <code>${url}</code> and choose “Add”.</li>
      <li>Choose “Connect” and sign in.</li>
    </ol>`;
}

function inChatGpt(url: string): Html {
  return html`<h2>ChatGPT</h2>
    <ol>
      <li>Open Settings, then Apps &amp; Connectors, and switch on developer mode under Advanced settings.</li>
      <li>Choose “Create”, paste <code>${url}</code> as the MCP server URL and choose OAuth as authentication.</li>
      <li>Choose “Create” and sign in.</li>
    </ol>`;
}

function inCursor(name: string, url: string): Html {
  const config = JSON.stringify({ mcpServers: { [name]: { url } } }, null, 2);
  return html`<h2>Cursor</h2>
    <ol>
      <li>Open Settings, then MCP, and choose “Add new MCP server”; or edit <code>~/.cursor/mcp.json</code>:</li>
    </ol>
    ${shown(config)}
    <p>Then choose “Connect” beside the server and sign in.</p>`;
}

function inVsCode(name: string, url: string): Html {
  const config = JSON.stringify({ servers: { [name]: { type: 'http', url } } }, null, 2);
  return html`<h2>VS Code</h2>
    <ol>
      <li>
        Run “MCP: Add Server” from the Command Palette, choose “HTTP” and paste the URL; or edit
        <code>.vscode/mcp.json</code>:
      </li>
    </ol>
    ${shown(config)}
    <p>Then start the server and sign in.</p>`;
}

function inClaudeCode(name: string, url: string): Html {
  return html`<h2>Claude Code</h2>
    ${shown(`claude mcp add --transport http ${name} ${url}`)}
    <p>Then type <code>/mcp</code> in a session and sign in.</p>`;
}

/** Text exactly as it is to be copied. */
function shown(text: string): Html {
  const { text: escaped } = html`${text}`;
  return new Html(`<pre><code>${escaped}</code></pre>`);
}
