import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { moment } from '../contract/times.js';
import { lineOfText, searchText } from '../contract/text.js';
import { cursorOf, pageLimit } from '../paging/cursor.js';
import { serverParams } from '../servers/servers.schema.js';

const SERVER_SCHEMA = 'https://static.modelcontextprotocol.io/schemas/2025-10-17/server.schema.json';
const ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
/** `{reversed host}/{tenant}.{server}`. */
const NAME = /^[a-z0-9.-]{1,253}\/[a-z0-9-]{1,63}\.[a-z0-9~-]{1,64}$/;
const VERSION = /^[0-9A-Za-z.+-]{1,64}$/;

const httpsUrl = z
  .url({ protocol: /^https$/ })
  .max(500)
  .refine((text) => URL.parse(text)?.username === '', 'a URL without credentials');

/** What a tenant says of one server. */
const entryShape = {
  visibility: z.enum(['tenant', 'everyone']).meta({
    description: '`tenant`: in the tenant’s own registry, which needs credentials. `everyone`: in the public one too.',
  }),
  title: lineOfText(100),
  description: lineOfText(100).meta({
    description: 'What the server is for; the registry’s format allows 100 characters.',
  }),
  website_url: httpsUrl.nullable().default(null),
  repository_url: httpsUrl.nullable().default(null),
};

const entrySchema = z
  .strictObject({
    name: z.string().meta({ description: 'The server’s name in the registry: reversed host, tenant and server.' }),
    ...entryShape,
    website_url: z.url().nullable(),
    repository_url: z.url().nullable(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'RegistryEntry' });

/** `PUT /v1/servers/{server}/registry-entry` */
export const putEntry = contract({
  summary: 'Say how a server stands in the MCP registry, and who sees it there.',
  description:
    'A server is listed while it has a live release and its tenant is active. Public registries are read again every ' +
    'half minute. Who may call the server is not changed by it.',
  params: serverParams,
  body: jsonBody(z.strictObject(entryShape)),
  etag: 'compared',
  answer: { status: 200, means: 'The entry.', schema: entrySchema },
  refuses: ['unprocessable'],
});

/** `GET /v1/servers/{server}/registry-entry` */
export const getEntry = contract({
  summary: 'Show how a server stands in the MCP registry.',
  params: serverParams,
  etag: 'shown',
  answer: { status: 200, means: 'The entry.', schema: entrySchema },
});

/** `DELETE /v1/servers/{server}/registry-entry` */
export const deleteEntry = contract({
  summary: 'Take a server out of the MCP registry.',
  params: serverParams,
  etag: 'compared',
  answer: { status: 204, means: 'The server is in no registry any more.' },
});

const official = z.strictObject({
  status: z.literal('active'),
  publishedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  isLatest: z.boolean(),
});

/** One version of a server as the MCP registry describes it (registry API v0, `ServerResponse`). */
const listedSchema = z
  .strictObject({
    server: z.strictObject({
      $schema: z.literal(SERVER_SCHEMA),
      name: z.string(),
      title: z.string(),
      description: z.string(),
      version: z.string(),
      websiteUrl: z.url().optional(),
      repository: z.strictObject({ url: z.url(), source: z.string() }).optional(),
      remotes: z.array(z.strictObject({ type: z.enum(['streamable-http', 'sse']), url: z.url() })),
    }),
    _meta: z.strictObject({ 'io.modelcontextprotocol.registry/official': official }),
  })
  .meta({ id: 'RegistryServer' });

const listQuery = z.strictObject({
  search: searchText(100).optional().meta({ description: 'Part of a name, title or description, in any case.' }),
  version: z.literal('latest').optional().meta({ description: 'Only the live release of each server.' }),
  updated_since: moment.optional().meta({ description: 'Only what has changed since.' }),
  limit: pageLimit(100, 30),
  cursor: cursorOf(ID),
});

const page = z.strictObject({
  servers: z.array(listedSchema),
  metadata: z.strictObject({ count: z.int(), nextCursor: z.string().optional() }),
});
const means = 'Servers in the format of the MCP registry, by their age.';
const versionsMeans = 'The versions, newest major first.';
const tenantParams = z.strictObject({ tenant: z.string().regex(/^[a-z0-9-]{1,63}$/) });
const nameParams = z.strictObject({
  name: z.string().regex(NAME).meta({ description: 'The server’s name, its slash as %2F.' }),
});
const versionParams = nameParams.extend({
  version: z.string().regex(VERSION).meta({ description: 'A version that is reachable, or `latest`.' }),
});

/** `GET /v0/servers` */
export const listPublic = contract({
  summary: 'List the servers that tenants have made public, as the MCP registry API does.',
  query: listQuery,
  answer: { status: 200, means, schema: page },
});

/** `GET /registry/{tenant}/v0/servers` */
export const listPublicOf = contract({
  summary: 'List a tenant’s public servers: a registry of its own for catalogues, at `/registry/{tenant}`.',
  params: tenantParams,
  query: listQuery,
  answer: { status: 200, means, schema: page },
});

/** `GET /v1/registry/v0/servers` */
export const listOwn = contract({
  summary:
    'List the tenant’s servers in the registry, public or not: a registry that needs credentials, at `/v1/registry`.',
  query: listQuery,
  answer: { status: 200, means, schema: page },
});

/** `GET /v0/servers/{name}/versions` */
export const listVersions = contract({
  summary:
    'List the versions of a public server that are reachable: the live release, and older majors that are served.',
  params: nameParams,
  answer: { status: 200, means: versionsMeans, schema: page },
});

/** `GET /v0/servers/{name}/versions/{version}` */
export const getVersion = contract({
  summary: 'Show one version of a public server.',
  params: versionParams,
  answer: { status: 200, means: 'The version.', schema: listedSchema },
});

/** `GET /registry/{tenant}/v0/servers/{name}/versions` */
export const listVersionsOf = contract({
  summary: 'List the versions of a tenant’s public server that are reachable.',
  params: nameParams.extend(tenantParams.shape),
  answer: { status: 200, means: versionsMeans, schema: page },
});

/** `GET /registry/{tenant}/v0/servers/{name}/versions/{version}` */
export const getVersionOf = contract({
  summary: 'Show one version of a tenant’s public server.',
  params: versionParams.extend(tenantParams.shape),
  answer: { status: 200, means: 'The version.', schema: listedSchema },
});

/** `GET /v1/registry/v0/servers/{name}/versions` */
export const listOwnVersions = contract({
  summary: 'List the versions of one of the tenant’s servers that are reachable, public or not.',
  params: nameParams,
  answer: { status: 200, means: versionsMeans, schema: page },
});

/** `GET /v1/registry/v0/servers/{name}/versions/{version}` */
export const getOwnVersion = contract({
  summary: 'Show one version of one of the tenant’s servers.',
  params: versionParams,
  answer: { status: 200, means: 'The version.', schema: listedSchema },
});

/** A server in the registry's format. */
export type Listed = z.input<typeof listedSchema>;
/** What of a registry is asked for. */
export type ListQuery = z.output<typeof listQuery>;
/** The schema that every listed server names. */
export { SERVER_SCHEMA };
