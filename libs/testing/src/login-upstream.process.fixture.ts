import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { LookupFunction } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import Provider from 'oidc-provider';
import { Agent, fetch, getGlobalDispatcher } from 'undici';
import { z } from 'zod';

/**
 * An upstream with logins of its own, in a process of its own: a real `oidc-provider` that registers clients, rotates
 * refresh tokens and revokes, and a real MCP server that takes its tokens alone. Its parent speaks with it over IPC.
 */

/** What the upstream is told. */
export interface ToldUpstream {
  /** Who logs in next. */
  readonly person?: string;
  /** Every access token given so far is refused from now on. */
  readonly expire?: true;
  /** Everything granted to this person ends. */
  readonly end?: string;
  /** Who the MCP server says grants tokens for it. */
  readonly issuer?: string;
  /** Clients' metadata documents are on this machine, whatever their host is called, behind this certificate. */
  readonly documents?: { readonly certificate: string };
}

/** What it has seen. */
export interface SeenByUpstream {
  readonly refreshes: number;
  readonly revocations: number;
  readonly authorizations: number;
  /** Requests for what it says of itself. */
  readonly discoveries: number;
  /** The clients that got tokens, each once. */
  readonly clients: readonly string[];
  /** Requests to the MCP server, by whose token they carried. */
  readonly calls: Readonly<Record<string, number>>;
  /** Access tokens that came to the MCP server. */
  readonly tokens: readonly string[];
}

const port = Number(process.argv[2]);
const issuer = `http://localhost:${port}`;
const resource = `${issuer}/mcp`;
const seen = {
  refreshes: 0,
  revocations: 0,
  authorizations: 0,
  discoveries: 0,
  calls: {} as Record<string, number>,
  tokens: [] as string[],
};
const clients = new Set<string>();
const refused = new Set<string>();
const known = new Set<string>();
const grants = new Map<string, Set<string>>();
let person = 'nobody';
let named = issuer;
let documents: Agent | undefined;

const provider = new Provider(issuer, {
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
  scopes: ['mcp', 'offline_access'],
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      getResourceServerInfo: () => ({ scope: 'mcp', accessTokenFormat: 'opaque', accessTokenTTL: 600 }),
      useGrantedResource: () => true,
    },
  },
  // The types of the standard fetch and of undici's name the same differently.
  fetch: (async (url: string, init: object) =>
    fetch(url, { ...init, dispatcher: documents ?? getGlobalDispatcher() })) as never,
  pkce: { required: () => true },
  cookies: { keys: ['a test'] },
  rotateRefreshToken: true,
  issueRefreshToken: () => true,
  expiresWithSession: () => false,
  interactions: { url: (_ctx, interaction) => `/log-in/${interaction.uid}` },
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
});
provider.on('grant.success', (ctx) => {
  clients.add(ctx.oidc.client?.clientId ?? '');
  if (ctx.oidc.params?.['grant_type'] === 'refresh_token') seen.refreshes += 1;
});

const whose = new AsyncLocalStorage<string>();
const serve = toNodeHandler(
  createMcpHandler(() => {
    const mcp = new McpServer({ name: 'mailbox', version: '1' });
    const description = 'Says whose mailbox it is.';
    mcp.registerTool('whose', { description, inputSchema: z.object({}), annotations: { readOnlyHint: true } }, () => ({
      content: [{ type: 'text', text: `mailbox of ${whose.getStore() ?? 'nobody'}` }],
    }));
    return mcp;
  }),
);

async function guarded(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const found = token === '' || refused.has(token) ? undefined : await provider.AccessToken.find(token);
  if (found === undefined || found.aud !== resource) {
    const metadata = `${issuer}/.well-known/oauth-protected-resource/mcp`;
    response.writeHead(401, { 'www-authenticate': `Bearer resource_metadata="${metadata}", scope="mcp"` }).end();
    return;
  }
  known.add(token);
  if (!seen.tokens.includes(token)) seen.tokens.push(token);
  const { accountId = '' } = found;
  seen.calls[accountId] = (seen.calls[accountId] ?? 0) + 1;
  if (request.url?.startsWith('/mailbox') === true) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ mailbox: accountId }));
    return;
  }
  await whose.run(accountId, () => serve(request as never, response)); // its types predate exactOptionalPropertyTypes
}

/** Logs in whoever it was told, and has them agree to everything. */
async function answerPrompt(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    const login = { accountId: person, remember: false };
    return provider.interactionFinished(request, response, { login });
  }
  const accountId = session?.accountId ?? '';
  const grant = new provider.Grant({ clientId: String(params['client_id']), accountId });
  grant.addOIDCScope('openid offline_access mcp');
  grant.addResourceScope(resource, 'mcp');
  const grantId = await grant.save();
  grants.set(accountId, (grants.get(accountId) ?? new Set()).add(grantId));
  return provider.interactionFinished(request, response, { consent: { grantId } }, { mergeWithLastSubmission: true });
}

const answer = provider.callback();
const server = createServer((request, response) => {
  const url = request.url ?? '';
  if (url.startsWith('/.well-known/')) seen.discoveries += 1;
  if (url.startsWith('/mcp') || url.startsWith('/mailbox')) return void guarded(request, response);
  if (url === '/.well-known/oauth-protected-resource/mcp') {
    const document = { resource, authorization_servers: [named], scopes_supported: ['mcp'] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
    return;
  }
  if (url.startsWith('/log-in/')) {
    answerPrompt(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
    return;
  }
  if (url.startsWith('/token/revocation')) seen.revocations += 1;
  if (url.startsWith('/auth?')) seen.authorizations += 1;
  void answer(request, response);
});

async function take(told: ToldUpstream): Promise<void> {
  person = told.person ?? person;
  named = told.issuer ?? named;
  if (told.documents !== undefined) documents = agentTo(told.documents);
  if (told.expire === true) for (const token of known) refused.add(token);
  for (const id of grants.get(told.end ?? '') ?? []) {
    await (await provider.Grant.find(id))?.destroy();
    await provider.RefreshToken.revokeByGrantId(id);
    await provider.AccessToken.revokeByGrantId(id);
  }
}

function agentTo({ certificate }: NonNullable<ToldUpstream['documents']>): Agent {
  const lookup: LookupFunction = (_host, { all }, found) =>
    all === true ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4);
  return new Agent({ connect: { ca: certificate, lookup } });
}

process.on('message', (told: ToldUpstream) => {
  void take(told).then(() => process.send?.({ ...seen, clients: [...clients] }));
});
process.on('disconnect', () => process.exit(0));
server.listen(port, 'localhost', () => process.send?.({ ready: true }));
