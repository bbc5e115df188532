import { html } from '#libs/pages';
import type { ConnectTexts } from './texts.en.js';

/** Every sentence of the connect pages in German. */
export const GERMAN: ConnectTexts = {
  title: (tenant) => `Mit ${tenant} verbinden`,
  heading: (tenant) => `Verbinden Sie Ihren Agenten mit ${tenant}`,
  what: 'Dies ist eine MCP-URL: eine Adresse für KI-Agenten und Apps, keine Seite zum Lesen. Geben Sie sie Ihrem:',
  url: 'URL zum Kopieren',
  next: (tenant) =>
    `Ihre App öffnet dann eine Seite, auf der Sie sich anmelden und entscheiden, was sie darf. Sie brauchen ein Konto bei ${tenant}. Schreiben Sie nie ein Passwort oder einen Schlüssel in die URL.`,
  claude: (url) =>
    html`<li>Öffnen Sie „Settings“, dann „Connectors“.</li>
      <li>Wählen Sie „Add custom connector“, fügen Sie <code>${url}</code> ein und wählen Sie „Add“.</li>
      <li>Wählen Sie „Connect“ und melden Sie sich an.</li>`,
  chatGpt: (url) =>
    html`<li>
        Öffnen Sie „Settings“, dann „Apps &amp; Connectors“, und schalten Sie unter „Advanced settings“ den Developer
        Mode ein.
      </li>
      <li>Wählen Sie „Create“, fügen Sie <code>${url}</code> als URL des MCP-Servers ein und wählen Sie OAuth.</li>
      <li>Wählen Sie „Create“ und melden Sie sich an.</li>`,
  cursor: html`<li>
    Öffnen Sie „Settings“, dann „MCP“, und wählen Sie „Add new MCP server“; oder ändern Sie
    <code>~/.cursor/mcp.json</code>:
  </li>`,
  cursorThen: 'Wählen Sie dann „Connect“ neben dem Server und melden Sie sich an.',
  vsCode: html`<li>
    Wählen Sie „MCP: Add Server“ in der Command Palette, dann „HTTP“, und fügen Sie die URL ein; oder ändern Sie
    <code>.vscode/mcp.json</code>:
  </li>`,
  vsCodeThen: 'Starten Sie dann den Server und melden Sie sich an.',
  claudeCodeThen: html`Geben Sie dann in einer Sitzung <code>/mcp</code> ein und melden Sie sich an.`,
  other: 'Jeder andere MCP-Client',
  otherHow:
    'Fügen Sie einen entfernten Server mit dem Transport „Streamable HTTP“ und dieser URL hinzu. Er braucht weder Schlüssel noch Client-ID.',
  nothing: 'Hier wurde nichts gefunden',
  nothingNext: 'Prüfen Sie die URL, oder fragen Sie, von wem Sie sie haben, nach der richtigen.',
  refusedTitle: 'Nicht verfügbar',
  refused: 'Diese URL ist nicht verfügbar',
};
