import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/, 'up to 32 of a-z, 0-9 and -');
const params = z.strictObject({ connector: name.describe('The connector’s name.') });

const connectionSchema = z
  .strictObject({
    connector: z.string(),
    title: z.string(),
    issuer: z.string(),
    state: z
      .enum(['connected', 'reconnect', 'none'])
      .describe('`reconnect`: the upstream has ended it. `none`: you have never logged in there, or logged out.'),
    scope: z.string().nullable(),
    connected_at: z.iso.datetime().nullable(),
    connect_url: z.url().describe('The page on which you log in, log in again, or log out.'),
  })
  .meta({ id: 'Connection' });

/** `GET /v1/me/connections` */
export const listOwn = contract({
  summary: 'List where you can log in at upstreams, and whether you have.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'Your connections, by the connectors’ names.',
    schema: z.strictObject({ connections: z.array(connectionSchema), next_cursor: nextCursor }),
  },
});

/** `POST /v1/me/connections` */
export const startOwn = contract({
  summary: 'Begin to log in at an upstream, or to log in there again.',
  description:
    'Answers with the page to open in a browser. It holds no right of yours: whoever opens it signs in and logs in for ' +
    'themselves.',
  body: jsonBody(z.strictObject({ connector: name })),
  answer: { status: 200, means: 'The connection as it is, and the page to open.', schema: connectionSchema },
  refuses: ['not_found'],
});

/** `DELETE /v1/me/connections/{connector}` */
export const endOwn = contract({
  summary: 'Log out at an upstream; what you held there is revoked there soon after.',
  params,
  answer: { status: 204, means: 'You hold nothing there any more.' },
});
