import { html } from '#libs/pages';

/** Every sentence of the connect pages in English. Another language has the same keys, or it does not compile. */
export const ENGLISH = {
  title: (tenant: string) => `Connect to ${tenant}`,
  heading: (tenant: string) => `Connect your agent to ${tenant}`,
  what: 'This is an MCP URL: an address for AI agents and apps, not a page to read. Give it to yours:',
  url: 'URL to copy',
  next: (tenant: string) =>
    `Your app then opens a page where you sign in and decide what it may do. You need an account at ${tenant}. Never put a password or key into the URL.`,
  claude: (url: string) =>
    html`<li>Open Settings, then Connectors.</li>
      <li>Choose “Add custom connector”, paste <code>${url}</code> and choose “Add”.</li>
      <li>Choose “Connect” and sign in.</li>`,
  chatGpt: (url: string) =>
    html`<li>Open Settings, then Apps &amp; Connectors, and switch on developer mode under Advanced settings.</li>
      <li>Choose “Create”, paste <code>${url}</code> as the MCP server URL and choose OAuth as authentication.</li>
      <li>Choose “Create” and sign in.</li>`,
  cursor: html`<li>
    Open Settings, then MCP, and choose “Add new MCP server”; or edit <code>~/.cursor/mcp.json</code>:
  </li>`,
  cursorThen: 'Then choose “Connect” beside the server and sign in.',
  vsCode: html`<li>
    Run “MCP: Add Server” from the Command Palette, choose “HTTP” and paste the URL; or edit
    <code>.vscode/mcp.json</code>:
  </li>`,
  vsCodeThen: 'Then start the server and sign in.',
  claudeCodeThen: html`Then type <code>/mcp</code> in a session and sign in.`,
  other: 'Any other MCP client',
  otherHow: 'Add a remote server with the transport “Streamable HTTP” and this URL. It needs no key or client id.',
  nothing: 'Nothing was found here',
  nothingNext: 'Check the URL, or ask whoever gave it to you for the right one.',
  refusedTitle: 'Not available',
  refused: 'This URL is not available',
};

/** Every sentence of the connect pages, in one language. */
export type ConnectTexts = typeof ENGLISH;
