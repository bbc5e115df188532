import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { nextCursor, shortList } from '../paging/cursor.js';
import { serverParams } from '../servers/servers.schema.js';

const healthMembers = {
  state: z.enum(['closed', 'open', 'half-open']).meta({
    description:
      '`closed`: calls go out. `open`: it failed too often and is left alone. `half-open`: one call tries it.',
  }),
  requests: z.int().meta({ description: 'Requests within the last ten seconds.' }),
  failures: z.int().meta({ description: 'How many of them failed.' }),
  next_try: z.iso.datetime().nullable().meta({ description: 'When it may be called again, while it is not closed.' }),
  last_error: z
    .strictObject({
      class: z.enum(['timeout', 'connect', 'untrusted', 'broken_off', 'invalid_response', 'server_error']),
      at: z.iso.datetime(),
    })
    .nullable(),
  last_success: z.iso.datetime().nullable(),
};

const upstreamSchema = z
  .strictObject({
    origin: z.string().meta({ description: 'Scheme, host and port.' }),
    ...healthMembers,
    candidate: z
      .strictObject(healthMembers)
      .nullable()
      .meta({ description: 'The same for the candidate of a rollout that is not over; null where there is none.' }),
  })
  .meta({ id: 'Upstream' });

/** `GET /v1/servers/{server}/upstreams` */
export const listUpstreams = contract({
  summary: 'Show how the upstreams of a server’s live release are doing.',
  params: serverParams,
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'Every origin that the live release names, and the candidate of a rollout; none while nothing is published.',
    schema: z.strictObject({
      upstreams: z.array(upstreamSchema),
      next_cursor: nextCursor,
      complete: z.boolean().meta({ description: 'Whether every worker-runtime answered.' }),
    }),
  },
});
