import { z } from 'zod';
import { CLIENT_METHODS, connectorSettingsSchema } from '#libs/connections';
import { contract, jsonBody } from '../contract/contract.js';
import { nextCursor, pageCursor, pageLimit, shortList } from '../paging/cursor.js';

/** How many connectors a tenant has at most. */
export const CONNECTORS_MAX = 100;

const params = z.strictObject({
  connector: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, 'up to 32 of a-z, 0-9 and -, not - at its ends')
    .describe('The connector’s name.'),
});

const connectorSchema = z
  .strictObject({
    name: z.string(),
    title: z.string(),
    issuer: z.string().describe('Who grants tokens there.'),
    authorization_endpoint: z.url().describe('Where people are sent to log in.'),
    resource: z.string().nullable(),
    scopes: z.array(z.string()).describe('What people are asked to allow.'),
    origins: z.array(z.string()).describe('Origins that may be sent a person’s token.'),
    client_id: z.string(),
    client_method: z.enum(CLIENT_METHODS),
    redirect_uri: z.url().describe('Where the upstream sends people back to; register it there with the client.'),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Connector' });

/** `PUT /v1/connectors/{connector}` */
export const writeConnector = contract({
  summary: 'Set up where people log in at an upstream, each for themselves.',
  description:
    'Who grants tokens there is found out now, and the platform is registered there as a client where you name none. ' +
    'Where this makes it another issuer or resource, everybody logs in again, and what they held is revoked.',
  params,
  creates: 'what the path names',
  body: jsonBody(connectorSettingsSchema),
  etag: 'compared',
  answer: { status: 200, means: 'The connector.', schema: connectorSchema },
  refuses: ['conflict', 'unprocessable'],
});

/** `GET /v1/connectors` */
export const listConnectors = contract({
  summary: 'List where people log in at upstreams.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The connectors by name.',
    schema: z.strictObject({ connectors: z.array(connectorSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/connectors/{connector}` */
export const getConnector = contract({
  summary: 'Show where people log in at an upstream.',
  params,
  etag: 'shown',
  answer: { status: 200, means: 'The connector.', schema: connectorSchema },
});

/** `DELETE /v1/connectors/{connector}` */
export const deleteConnector = contract({
  summary: 'Delete a connector; what people held there is revoked, and calls that need it fail from now on.',
  params,
  etag: 'compared',
  answer: { status: 204, means: 'The connector is gone.' },
});

/** `GET /v1/connectors/{connector}/connections` */
export const listConnections = contract({
  summary: 'List who is logged in at an upstream; never what they hold there.',
  params,
  query: z.strictObject({ limit: pageLimit(200), cursor: pageCursor }),
  answer: {
    status: 200,
    means: 'The people, by the ids of their accounts.',
    schema: z.strictObject({
      connections: z.array(
        z.strictObject({
          member: z.uuid(),
          email: z.string(),
          state: z.enum(['connected', 'reconnect']),
          connected_at: z.iso.datetime(),
          refreshed_at: z.iso.datetime(),
        }),
      ),
      next_cursor: nextCursor,
    }),
  },
});
