/** How an agent proves itself at a tenant URL: its person signs in, or it carries a key of the tenant. */
export type AgentCredentials = 'sign_in' | 'api_key';

/** The clients that have a configuration of their own here. */
export const AGENT_CLIENTS = ['claude', 'chatgpt', 'cursor', 'vscode', 'claude-code'] as const;

/** One of them. */
export type AgentClient = (typeof AGENT_CLIENTS)[number];

/** What is to be connected. */
export interface ConnectedUrl {
  /** What the client is to call it: letters, digits, `-` and `_`. */
  readonly name: string;
  readonly url: string;
  readonly credentials: AgentCredentials;
}

/** How one client is told of a tenant URL. Each part that a client does not have is null. */
export interface ClientConfig {
  readonly client: AgentClient;
  readonly title: string;
  /** What goes into `file`, as it is to be copied. */
  readonly config: string | null;
  /** Where the client looks for it; `~` is the home folder, other paths are in the project. */
  readonly file: string | null;
  /** The same as a command for a terminal. */
  readonly command: string | null;
  /** The same as a link that opens the client. */
  readonly link: string | null;
  /** What a person does, one sentence a step. */
  readonly steps: readonly string[];
}

/**
 * The environment variable that configurations take an API key from: no key is ever written into one. It is not the
 * command line's WHARF_API_KEY, whose key manages the tenant: an agent is to have one of its own that only calls.
 */
const KEY_VARIABLE = 'WHARF_AGENT_KEY';

/** The configuration of every client that can connect in this way; Claude and ChatGPT know no keys. */
export function clientConfigs(connected: ConnectedUrl): ClientConfig[] {
  const withKeys = [cursor(connected), vsCode(connected), claudeCode(connected)];
  return connected.credentials === 'api_key' ? withKeys : [claude(connected), chatGpt(connected), ...withKeys];
}

function claude({ url }: ConnectedUrl): ClientConfig {
  return {
    ...NOTHING,
    client: 'claude',
    title: 'Claude',
    steps: [
      'Open Settings, then Connectors.',
      `Choose “Add custom connector”, paste ${url} and choose “Add”.`,
      'Choose “Connect” and sign in.',
    ],
  };
}

function chatGpt({ url }: ConnectedUrl): ClientConfig {
  return {
    ...NOTHING,
    client: 'chatgpt',
    title: 'ChatGPT',
    steps: [
      'Open Settings, then Apps & Connectors, and switch on developer mode under Advanced settings.',
      `Choose “Create”, paste ${url} as the MCP server URL and choose OAuth as authentication.`,
      'Choose “Create” and sign in.',
    ],
  };
}

function cursor({ name, url, credentials }: ConnectedUrl): ClientConfig {
  const server = { url, ...headersOf(credentials, `\${env:${KEY_VARIABLE}}`) };
  const link = new URL('cursor://anysphere.cursor-deeplink/mcp/install');
  link.searchParams.set('name', name);
  link.searchParams.set('config', Buffer.from(JSON.stringify(server)).toString('base64'));
  return {
    client: 'cursor',
    title: 'Cursor',
    config: shown({ mcpServers: { [name]: server } }),
    file: '~/.cursor/mcp.json',
    command: null,
    link: link.href,
    steps: [
      'Open the link, or edit the file.',
      credentials === 'sign_in'
        ? 'Choose “Connect” beside the server in Settings, MCP, and sign in.'
        : `Start Cursor with the agent’s key in the environment variable ${KEY_VARIABLE}.`,
    ],
  };
}

function vsCode({ name, url, credentials }: ConnectedUrl): ClientConfig {
  // VS Code keeps one value for each id: with one id for all, a key would go to every server that asks for it.
  const id = `wharf-key-${name}`;
  const asked = { type: 'promptString', id, description: `API key for ${name}`, password: true };
  const server = { type: 'http', url, ...headersOf(credentials, `\${input:${id}}`) };
  const inputs = credentials === 'sign_in' ? {} : { inputs: [asked] };
  return {
    client: 'vscode',
    title: 'VS Code',
    config: shown({ ...inputs, servers: { [name]: server } }),
    file: '.vscode/mcp.json',
    command: null,
    // What a link installs has no inputs, so a key could only be written out in it.
    link:
      credentials === 'sign_in'
        ? `vscode:mcp/install?${encodeURIComponent(JSON.stringify({ name, ...server }))}`
        : null,
    steps: [
      credentials === 'sign_in' ? 'Open the link, or edit the file.' : 'Edit the file.',
      credentials === 'sign_in' ? 'Start the server and sign in.' : 'Start the server; VS Code asks for the key once.',
    ],
  };
}

function claudeCode({ name, url, credentials }: ConnectedUrl): ClientConfig {
  const key = `\${${KEY_VARIABLE}}`;
  const server = { type: 'http', url, ...headersOf(credentials, key) };
  // In single quotes, for Claude Code and not the shell is to read the variable; it does so in a project's file alone.
  const [scope, header] =
    credentials === 'sign_in' ? ['', ''] : [' --scope project', ` --header 'Authorization: Bearer ${key}'`];
  return {
    client: 'claude-code',
    title: 'Claude Code',
    config: shown({ mcpServers: { [name]: server } }),
    file: '.mcp.json',
    command: `claude mcp add --transport http${scope} ${name} ${url}${header}`,
    link: null,
    steps: [
      'Run the command, or add the file to your project.',
      credentials === 'sign_in'
        ? 'Type /mcp in a session and sign in.'
        : `Start Claude Code with the agent’s key in the environment variable ${KEY_VARIABLE}, from which it reads it each time.`,
    ],
  };
}

const NOTHING = { config: null, file: null, command: null, link: null } as const;

function headersOf(credentials: AgentCredentials, key: string): { headers?: Readonly<Record<string, string>> } {
  return credentials === 'sign_in' ? {} : { headers: { Authorization: `Bearer ${key}` } };
}

function shown(config: object): string {
  return JSON.stringify(config, null, 2);
}
