import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import type { Person } from '../browser/sign-in.js';
import { PersonOAuthProvider } from './person-provider.js';

/** How the agent finds its protocol: the SDK's default (2025-11-25), by asking, or 2026-07-28 and nothing else. */
export type AgentProtocol = 'default' | 'auto' | '2026-07-28';

/** A connected MCP client. */
export interface Agent {
  readonly client: Client;
  close(): Promise<void>;
}

/** A person's agent that knows nothing but a URL. */
export interface PersonAgent extends Agent {
  /** The access token it was given at first. */
  readonly accessToken: string;
  /** The scope it holds now. */
  scope(): string;
  /** Finishes the sign-in that a refused call has led to (MCP authorization, "Step-Up"), on the same connection. */
  finishStepUp(): Promise<void>;
}

/** Connects as a person's agent: challenge, discovery, registration, sign-in, consent, token, connection. */
export async function connectAgent(
  options: Person & { readonly url: string; readonly protocol?: AgentProtocol },
): Promise<PersonAgent> {
  const provider = new PersonOAuthProvider(options);
  const transport = (): StreamableHTTPClientTransport =>
    new StreamableHTTPClientTransport(new URL(options.url), { authProvider: provider });
  const first = transport();
  const client = newClient(options.protocol);
  try {
    await client.connect(first);
  } catch (error) {
    if (!(error instanceof UnauthorizedError) || provider.callback === undefined) throw error;
    await first.finishAuth(provider.callback.searchParams);
    await client.close();
    const second = transport();
    return personAgent(await connect(newClient(options.protocol), second), provider, second);
  }
  return personAgent(agentOf(client, first), provider, first);
}

function personAgent(
  agent: Agent,
  provider: PersonOAuthProvider,
  transport: StreamableHTTPClientTransport,
): PersonAgent {
  return {
    ...agent,
    accessToken: provider.tokens()?.access_token ?? '',
    scope: () => provider.tokens()?.scope ?? '',
    async finishStepUp() {
      if (provider.callback === undefined) throw new Error('Nobody was asked to sign in.');
      await transport.finishAuth(provider.callback.searchParams);
    },
  };
}

/** Connects with an API key of the tenant. */
export async function connectWithApiKey(options: {
  readonly url: string;
  readonly apiKey: string;
  readonly protocol?: AgentProtocol;
}): Promise<Agent> {
  const headers = { authorization: `Bearer ${options.apiKey}` };
  const transport = new StreamableHTTPClientTransport(new URL(options.url), { requestInit: { headers } });
  return connect(newClient(options.protocol), transport);
}

function newClient(protocol: AgentProtocol = 'default'): Client {
  const info = { name: 'wharf-journey', version: '1.0.0' };
  if (protocol === 'default') return new Client(info);
  return new Client(info, { versionNegotiation: { mode: protocol === 'auto' ? 'auto' : { pin: protocol } } });
}

async function connect(client: Client, transport: StreamableHTTPClientTransport): Promise<Agent> {
  await client.connect(transport);
  return agentOf(client, transport);
}

function agentOf(client: Client, transport: StreamableHTTPClientTransport): Agent {
  return {
    client,
    async close() {
      // A session that is not ended would keep its worker's memory until it is idle long enough.
      if (transport.sessionId !== undefined) await transport.terminateSession().catch(() => undefined);
      await client.close();
    },
  };
}
