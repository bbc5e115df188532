import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { GUARDED_BYTES, INLINE_BYTES_MAX, INLINE_BYTES_MIN, PERSONAL_DATA_KINDS, TOOL_NAME } from '#libs/protocol';
import { lineOfText, searchText } from '../contract/text.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';

const SLUG = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

/** Of a server, or of one of its environments. */
const SERVER_SLUG = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?(~[a-z]([a-z0-9-]{0,14}[a-z0-9])?)?$/;

const GROUP = /^[a-z0-9]([a-z0-9_-]{0,30}[a-z0-9])?$/;

/** The names of tools by the group they are in. */
const toolGroups = z
  .record(
    z
      .string()
      .regex(GROUP, '1 to 32 lower-case letters, digits and inner hyphens or underscores')
      .refine((name) => name !== 'read' && name !== 'write', '`read` and `write` are scopes of every server'),
    z.array(z.string().regex(TOOL_NAME)).min(1).max(500),
  )
  .refine((groups) => Object.keys(groups).length <= 32, 'at most 32 groups')
  .meta({ description: 'Groups of tools: the scope `{server}:{group}` allows exactly the tools that are listed.' });

const asksFor = z.enum(['read', 'write']).meta({
  description:
    'What agents are asked for when they first connect: `read`, and writing once they want to write, or `write` at ' +
    'once, for agents that cannot ask for more later. Counts where `writes` is on.',
});

/** Ids of clients that may act for the server’s callers. */
const tokenExchange = z
  .strictObject({
    clients: z.array(z.string().min(1).max(2_048)).max(16).optional(),
    servers: z.array(z.string().regex(SERVER_SLUG)).max(32).optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'say which clients or which servers')
  .meta({
    description:
      '`clients` of the authorization server stand for this server: each may exchange (RFC 8693) a token for this ' +
      'server for one at one of `servers`, other servers of the tenant by their slugs. Rights go by level: reading ' +
      'here gives reading there, writing there needs writing everything here. People read this when they are asked ' +
      'for consent. Clients authenticate with a secret; a list that is left out stays.',
  });

const sseTransport = z.boolean().meta({
  description:
    'Whether agents may use the HTTP+SSE transport of 2024-11-05, deprecated since, at `/sse` beside `/mcp`.',
});

const publicLists = z.boolean().meta({
  description:
    'Whether proxies between agents and this server may keep its lists and resources for everybody: without it every ' +
    'answer is marked private to its caller, whatever the server behind it says.',
});

const inlineResultBytes = z
  .int()
  .min(INLINE_BYTES_MIN)
  .max(INLINE_BYTES_MAX)
  .nullable()
  .meta({
    description:
      'How many bytes of an API’s answer a result shows; what is larger is kept for its caller for a time, and linked to. ' +
      'Null for as many as the plan allows, which bounds it in any case.',
  });

const approvesDestructive = z.boolean().meta({
  description:
    'Whether a person approves each call of a tool that its release marks `destructiveHint`, or that is sent as DELETE. ' +
    'A policy that allows the call comes before this.',
});

const resultGuard = z
  .strictObject({
    max_bytes: z
      .int()
      .min(GUARDED_BYTES.min)
      .max(GUARDED_BYTES.max)
      .nullable()
      .default(null)
      .meta({ description: 'Most bytes of an answer, whole; a larger one is withheld. Null for any size.' }),
    personal_data: z
      .strictObject({
        kinds: z
          .array(z.enum(PERSONAL_DATA_KINDS))
          .min(1)
          .max(PERSONAL_DATA_KINDS.length)
          .refine((kinds) => new Set(kinds).size === kinds.length, 'name each kind once'),
        action: z.enum(['off', 'redact', 'refuse']).meta({
          description:
            '`redact` puts `[email]` in place of an address, and so on; `refuse` withholds the whole answer.',
        }),
      })
      .nullable()
      .default(null),
  })
  .nullable()
  .meta({
    description:
      'What answers of this server may hold: results of tools, resources, prompts and completions, messages before them, ' +
      'and what is kept of large ones. Null for anything. It is written as a whole.',
  });

/** Path parameters of everything below one server. */
export const serverParams = z.strictObject({
  server: z
    .string()
    .regex(SERVER_SLUG)
    .meta({ description: 'The server’s slug, or `{server}~{environment}` for one of its environments.' }),
});

const releaseReference = z.strictObject({ id: z.uuid(), number: z.int(), digest: z.string() }).nullable();

/** A tenant's MCP server. */
export const serverSchema = z
  .strictObject({
    id: z.uuid(),
    slug: z.string(),
    environment: z.string().meta({ description: '`production`, or which environment of another server it is.' }),
    name: z.string(),
    urls: z.strictObject({ mcp: z.url().meta({ description: 'The server’s own URL, for agents.' }) }),
    live_release: releaseReference,
    previous_release: releaseReference,
    stale_answers: z
      .strictObject({ enabled: z.boolean(), max_age_seconds: z.int() })
      .meta({ description: 'Whether the last good answer of a read-only tool stands in while its upstream fails.' }),
    audit: z.strictObject({ records_content: z.boolean() }).meta({
      description: 'Whether audit records of tool calls hold the redacted arguments and a summary of the result.',
    }),
    writes: z.boolean().meta({ description: 'Whether tools that write are offered at all; a new server only reads.' }),
    asks_for: z.enum(['read', 'write']),
    tool_groups: z.record(z.string(), z.array(z.string())),
    token_exchange: z.strictObject({ clients: z.array(z.string()), servers: z.array(z.string()) }),
    sse_transport: z.boolean(),
    public_lists: z.boolean(),
    inline_result_bytes: inlineResultBytes,
    approves_destructive: approvesDestructive,
    result_guard: resultGuard,
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Server' });

/** `POST /v1/servers` */
export const createServer = contract({
  summary: 'Create an MCP server; it answers agents once a release is published.',
  body: jsonBody(
    z.strictObject({
      slug: z
        .string()
        .regex(SLUG, '1 to 32 lower-case letters, digits and inner hyphens')
        .refine((slug) => slug !== 'mcp', 'This slug is reserved. Choose another one.')
        .meta({ description: 'Names the server in URLs and before its tools’ names; cannot be changed.' }),
      name: lineOfText(120),
    }),
  ),
  etag: 'shown',
  answer: { status: 201, means: 'The server.', schema: serverSchema },
  refuses: ['conflict'],
});

/** `GET /v1/servers` */
export const listServers = contract({
  summary: 'List the servers.',
  query: z.strictObject({
    search: searchText(100).optional().meta({ description: 'Part of a slug or a name, in any case.' }),
    limit: pageLimit(100),
    cursor: pageCursor,
  }),
  answer: {
    status: 200,
    means: 'Servers, newest first.',
    schema: z.strictObject({ servers: z.array(serverSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/servers/{server}` */
export const getServer = contract({
  summary: 'Show one server.',
  params: serverParams,
  etag: 'shown',
  answer: { status: 200, means: 'The server.', schema: serverSchema },
});

/** `PATCH /v1/servers/{server}` */
export const changeServer = contract({
  summary: 'Change a server’s name, or how it behaves.',
  description:
    'With `stale_answers` enabled, a tool that is marked `readOnlyHint` answers with its last good answer to the same ' +
    'arguments while its upstream fails, marked with `wharf/stale` in the result’s `_meta`. A tool writes unless its ' +
    'release marks it `readOnlyHint` or sends it as GET; with `writes` off such tools are neither listed nor called.',
  params: serverParams,
  body: jsonBody(
    z
      .strictObject({
        name: lineOfText(120).optional().meta({ description: 'What people read; its slug and URLs stay.' }),
        stale_answers: z
          .strictObject({
            enabled: z.boolean(),
            max_age_seconds: z
              .int()
              .min(1)
              .max(604_800)
              .optional()
              .meta({ description: 'How old such an answer may be, up to 7 days; 3600 unless it was set before.' }),
          })
          .optional(),
        audit: z.strictObject({ records_content: z.boolean() }).optional().meta({
          description: 'What audit records of this server’s tool calls hold beside the digest; nothing at first.',
        }),
        writes: z.boolean().optional(),
        asks_for: asksFor.optional(),
        tool_groups: toolGroups.optional(),
        token_exchange: tokenExchange.optional(),
        sse_transport: sseTransport.optional(),
        public_lists: publicLists.optional(),
        inline_result_bytes: inlineResultBytes.optional(),
        approves_destructive: approvesDestructive.optional(),
        result_guard: resultGuard.optional(),
      })
      .refine((change) => Object.keys(change).length > 0, 'say what to change'),
  ),
  etag: 'compared',
  answer: { status: 200, means: 'The server.', schema: serverSchema },
  refuses: ['unprocessable'],
});

/** `DELETE /v1/servers/{server}` */
export const deleteServer = contract({
  summary: 'Delete a server with all its releases; its URLs answer 404 at once.',
  params: serverParams,
  etag: 'compared',
  answer: { status: 204, means: 'The server is gone.' },
  refuses: ['conflict'],
});
