import { OpenIdFailure, type OpenIdFetch } from '#libs/openid';
import { read, unusable } from './unusable.js';

type Fetch = ReturnType<OpenIdFetch['for']>;
type Sdk = typeof import('@modelcontextprotocol/client');

/** What an MCP server says of who grants tokens for it. */
export interface ProtectedResource {
  /** Its identifier, exactly as it is published (RFC 8707). */
  readonly resource: string;
  readonly authorization_servers?: readonly string[] | undefined;
  /** What to ask for: what its challenge says, else all that it names (MCP 2025-11-25, "Scope Selection Strategy"). */
  readonly scopes: readonly string[];
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'Wharf', version: '1' },
};

/**
 * What a server may challenge: a request of either era, and a stream. Some protect all, some let anybody begin, and some
 * know POST alone. Lists come first, for they begin no session.
 */
const PROBES: readonly object[] = [
  post('tools/list', { _meta: META }, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' }),
  post('initialize', INITIALIZE),
  { method: 'GET', headers: { accept: 'text/event-stream' } },
];

/** What an MCP server says of itself (RFC 9728): at the address that its challenge names, or at the usual one. */
export async function protectedResource(sdk: Sdk, url: string, fetch: Fetch): Promise<ProtectedResource> {
  const challenge = await challengeOf(url, fetch);
  const { resourceMetadataUrl, scope } = challenge === undefined ? {} : sdk.extractWWWAuthenticateParams(challenge);
  const options = resourceMetadataUrl === undefined ? {} : { resourceMetadataUrl };
  const found = await read(`What ${url} says of itself (RFC 9728)`, () =>
    sdk.discoverOAuthProtectedResourceMetadata(url, options, fetch),
  );
  if (!sdk.checkResourceAllowed({ requestedResource: url, configuredResource: found.resource }))
    throw unusable(`${url} says that it is ${found.resource}. Use that as the resource.`);
  const challenged = scope?.split(' ').filter((name) => name !== '');
  return { ...found, scopes: challenged ?? found.scopes_supported ?? [] };
}

/** How a server asks for a credential; undefined where it answers no request in time, or asks for none. */
async function challengeOf(url: string, fetch: Fetch): Promise<Response | undefined> {
  for (const probe of PROBES) {
    const answer = await answerOf(url, probe, fetch);
    if (answer === undefined) return undefined;
    if (answer.status === 401 && answer.headers.has('www-authenticate')) return answer;
  }
  return undefined;
}

async function answerOf(url: string, probe: object, fetch: Fetch): Promise<Response | undefined> {
  try {
    return await fetch(url, probe);
  } catch (error) {
    if (error instanceof OpenIdFailure && error.kind === 'unreachable') return undefined;
    throw error;
  }
}

function post(method: string, params: object, headers: object = {}): object {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  return { method: 'POST', headers: { ...JSON_HEADERS, ...headers }, body };
}
