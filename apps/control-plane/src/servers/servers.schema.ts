import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';

const SLUG = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

/** Path parameters of everything below one server. */
export const serverParams = z.strictObject({
  server: z.string().regex(SLUG).meta({ description: 'The server’s slug.' }),
});

const releaseReference = z.strictObject({ id: z.uuid(), number: z.int(), digest: z.string() }).nullable();

/** A tenant's MCP server. */
export const serverSchema = z
  .strictObject({
    id: z.uuid(),
    slug: z.string(),
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
  answer: { status: 201, means: 'The server.', schema: serverSchema },
  refuses: ['conflict'],
});

/** `GET /v1/servers` */
export const listServers = contract({
  summary: 'List the servers.',
  query: z.strictObject({ limit: pageLimit(100), cursor: pageCursor }),
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
  answer: { status: 200, means: 'The server.', schema: serverSchema },
});

/** `PATCH /v1/servers/{server}` */
export const changeServer = contract({
  summary: 'Change how a server behaves.',
  description:
    'With `stale_answers` enabled, a tool that is marked `readOnlyHint` answers with its last good answer to the same ' +
    'arguments while its upstream fails, marked with `wharf/stale` in the result’s `_meta`.',
  params: serverParams,
  body: jsonBody(
    z
      .strictObject({
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
      })
      .refine((body) => Object.keys(body).length > 0, 'Say what to change.'),
  ),
  answer: { status: 200, means: 'The server.', schema: serverSchema },
});

/** `DELETE /v1/servers/{server}` */
export const deleteServer = contract({
  summary: 'Delete a server with all its releases; its URLs answer 404 at once.',
  params: serverParams,
  answer: { status: 204, means: 'The server is gone.' },
});
