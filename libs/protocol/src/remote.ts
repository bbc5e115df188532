import { z } from 'zod';

const SECRET = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/);
const HEADER = z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/);
const webUrl = z.url({ protocol: /^https?$/ }).max(2_048);

/** Name of an upstream server within its release. */
export const UPSTREAM_NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
/** What stands before the names of an upstream's tools and prompts. */
export const UPSTREAM_PREFIX = /^[A-Za-z0-9_-]{0,32}$/;

/** How the token endpoint is told who asks (RFC 6749, 2.3.1; RFC 7523, 2.2). */
const tokenMethod = z.enum(['basic', 'post', 'private_key_jwt']);

const secretAuth = z.strictObject({
  kind: z.literal('secret'),
  secret: SECRET.describe('Name of one of your secrets.'),
  name: HEADER.default('Authorization').describe('The header that carries it.'),
  prefix: z.string().max(32).optional().describe('Text before the value; `Bearer ` in `Authorization`, else none.'),
});

const clientCredentialsAuth = z
  .strictObject({
    kind: z.literal('client_credentials'),
    tokenUrl: webUrl.describe('Token endpoint of the upstream’s authorization server.'),
    clientId: z.string().min(1).max(512),
    secret: SECRET.describe('Name of one of your secrets: the client’s secret, or its private key.'),
    scope: z.string().max(1_024).optional(),
    resource: z
      .url()
      .max(2_048)
      .optional()
      .describe('Resource the token is for (RFC 8707); the upstream’s URL without it.'),
    method: tokenMethod
      .default('basic')
      .describe('How the client proves itself: HTTP Basic, in the form, or by a JWT that its private key has signed.'),
    audience: z
      .url()
      .max(2_048)
      .optional()
      .describe('Whom such a JWT is for: the authorization server’s issuer; its token endpoint without it.'),
  })
  .refine(({ method, audience }) => audience === undefined || method === 'private_key_jwt', {
    path: ['audience'],
    message: 'Only a client that proves itself by `private_key_jwt` has an audience.',
  });

const connectionAuth = z.strictObject({
  kind: z.literal('connection'),
  connector: z.string().regex(UPSTREAM_NAME).describe('Name of one of your connectors: each caller’s own login there.'),
});

/** One upstream MCP server, as a tenant names it in a release's source. */
export const upstreamSourceSchema = z.strictObject({
  name: z.string().regex(UPSTREAM_NAME).describe('What you call it: small letters, digits and `-`.'),
  url: webUrl.describe('Its MCP endpoint (Streamable HTTP).'),
  auth: z
    .discriminatedUnion('kind', [secretAuth, clientCredentialsAuth, connectionAuth])
    .optional()
    .describe('What the platform adds to its requests. Without it, nothing.'),
  prefix: z
    .string()
    .regex(UPSTREAM_PREFIX)
    .optional()
    .describe('Before its tools’ and prompts’ names. Without it: none for a single upstream, else `{name}__`.'),
  tools: z
    .array(z.string().min(1).max(256))
    .max(500)
    .optional()
    .describe('Its tools to take, by its own names. Without it, all.'),
});

/** A credential that egress obtains with OAuth client credentials (RFC 6749, 4.4), for some origins and no other. */
export const grantSchema = z.strictObject({
  id: z.string().regex(UPSTREAM_NAME),
  tokenUrl: webUrl,
  clientId: z.string().min(1).max(512),
  secret: SECRET,
  scope: z.string().max(1_024).optional(),
  resource: z.url().max(2_048),
  method: tokenMethod,
  audience: z.url().max(2_048).optional(),
  origins: z.array(z.url()).min(1).max(1),
});

/** A login of each caller's own whose token egress adds as `Authorization: Bearer`, for the origins it is meant for. */
export const connectionUseSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9_-]{1,64}$/i)
    .describe('What tools name it by.'),
  connector: z.string().regex(UPSTREAM_NAME).describe('Name of one of your connectors.'),
  origins: z.array(z.url()).min(1).max(16).describe('Origins that may receive it: `https://api.example.com`.'),
});

const sha256 = z.string().regex(/^sha256:[0-9a-f]{64}$/);
/** Canonical hash of each definition, by the name (or address) that the upstream gives it. */
const pinsSchema = z.record(z.string().max(8_192), sha256);

/** The definitions that a release approves of, as the upstream listed them when it was built. */
export const upstreamPinsSchema = z.strictObject({
  tools: pinsSchema,
  prompts: pinsSchema,
  resources: pinsSchema,
  resourceTemplates: pinsSchema,
});

/** How an upstream is reached: its endpoint and the names of what egress adds. */
export const upstreamAccessSchema = z.strictObject({
  name: z.string().regex(UPSTREAM_NAME),
  url: webUrl,
  prefix: z.string().regex(UPSTREAM_PREFIX),
  /** Id of a credential of the release. */
  credential: z.string().optional(),
  /** Id of a grant. */
  grant: z.string().optional(),
  /** Name of the tenant's connector at which each caller has a login of their own. */
  connection: z.string().regex(UPSTREAM_NAME).optional(),
});

export type UpstreamSource = z.infer<typeof upstreamSourceSchema>;
export type UpstreamPins = z.infer<typeof upstreamPinsSchema>;
export type UpstreamAccess = z.infer<typeof upstreamAccessSchema>;
export type ConnectionUse = z.infer<typeof connectionUseSchema>;
export type Grant = z.infer<typeof grantSchema>;

/** What a release of upstream servers may reach, and with which credentials. */
export interface RemoteAccess {
  readonly origins: string[];
  readonly credentials: Array<{
    readonly id: string;
    readonly secret: string;
    readonly in: 'header';
    readonly name: string;
    readonly prefix: string;
    readonly origins: string[];
  }>;
  readonly upstreams: UpstreamAccess[];
  readonly grants: Grant[];
}

/** The access that a source asks for: the same while it is built, where nothing is pinned yet, and when it is served. */
export function remoteAccess(sources: readonly UpstreamSource[]): RemoteAccess {
  const access: RemoteAccess = { origins: [], credentials: [], upstreams: [], grants: [] };
  for (const { name, url, auth, prefix = sources.length > 1 ? `${name}__` : '' } of sources) {
    const { origin } = new URL(url);
    if (!access.origins.includes(origin)) access.origins.push(origin);
    access.upstreams.push({ name, url, prefix, ...wayOf(name, auth) });
    if (auth?.kind === 'secret') {
      const { secret, name: header, prefix: before = /^authorization$/i.test(header) ? 'Bearer ' : '' } = auth;
      access.credentials.push({ id: name, secret, in: 'header', name: header, prefix: before, origins: [origin] });
    } else if (auth?.kind === 'client_credentials') {
      const { kind: _, resource = url, ...grant } = auth;
      access.grants.push({ id: name, ...grant, resource, origins: [origin] });
    }
  }
  access.origins.sort();
  return access;
}

function wayOf(
  name: string,
  auth: UpstreamSource['auth'],
): Pick<UpstreamAccess, 'credential' | 'grant' | 'connection'> {
  switch (auth?.kind) {
    case 'secret':
      return { credential: name };
    case 'client_credentials':
      return { grant: name };
    case 'connection':
      return { connection: auth.connector };
    case undefined:
      return {};
  }
}

/** Under which name egress knows an upstream among a release's tools; no tool can be named so. */
export function upstreamOwner(name: string): string {
  return `upstream ${name}`;
}
