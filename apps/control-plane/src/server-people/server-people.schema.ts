import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { serverParams } from '../servers/servers.schema.js';

const ENTRIES_MAX = 1_000;

const peopleSchema = z
  .strictObject({
    open_to: z.enum(['everyone', 'named']).meta({
      description: '`everyone`: every member. `named`: only the members and groups that are listed.',
    }),
    members: z.array(z.uuid().toLowerCase()).max(ENTRIES_MAX).meta({ description: 'Account ids of members.' }),
    groups: z.array(lineOfText(256)).max(ENTRIES_MAX),
  })
  .meta({ id: 'ServerPeople' });

/** `GET /v1/servers/{server}/people` */
export const getServerPeople = contract({
  summary: 'Show which of the tenant’s people may connect a server with their agents.',
  params: serverParams,
  etag: 'shown',
  answer: { status: 200, means: 'Who may.', schema: peopleSchema },
});

/** `PUT /v1/servers/{server}/people` */
export const putServerPeople = contract({
  summary: 'Say which of the tenant’s people may connect a server with their agents.',
  description:
    'Replaces the whole list, so `If-Match` is required. It holds at sign-in, for new tokens, and for calls with those ' +
    'that are out already, within 5 seconds. API keys and machine clients are not people: their scopes decide.',
  params: serverParams,
  body: jsonBody(peopleSchema),
  etag: 'required',
  answer: { status: 200, means: 'Who may now.', schema: peopleSchema },
  refuses: ['unprocessable'],
});
