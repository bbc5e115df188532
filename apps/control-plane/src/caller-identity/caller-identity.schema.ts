import { z } from 'zod';
import { contract } from '../contract/contract.js';

const whoSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('person'),
      id: z.uuid().meta({ description: 'The account’s id, as the members and the audit log have it.' }),
      email: z.string(),
      role: z.enum(['owner', 'admin', 'developer', 'auditor', 'user']),
      groups: z.array(z.string()),
      client: z.string().meta({ description: 'The id of the program that the person allowed to act for them.' }),
    }),
    z.strictObject({
      kind: z.literal('api_key'),
      id: z.uuid(),
      name: z.string(),
      prefix: z.string().meta({ description: 'The first characters, as the list of keys has them.' }),
      scopes: z.array(z.string()),
      created_by: z.uuid().nullable().meta({ description: 'The account that was shown its text.' }),
      expires_at: z.iso.datetime().nullable(),
    }),
    z.strictObject({
      kind: z.literal('operator'),
      id: z.string().meta({ description: 'The operator of the platform who looks at this tenant, for reading.' }),
    }),
  ])
  .meta({ id: 'Caller' });

/** `GET /v1/me` */
export const getCaller = contract({
  summary: 'Say whose credentials these are, at which tenant, and what they may do.',
  answer: {
    status: 200,
    means: 'Whoever asks, and nobody else.',
    schema: z.strictObject({
      who: whoSchema,
      tenant: z.strictObject({ id: z.uuid(), slug: z.string() }),
      permissions: z.array(z.string()).meta({ description: 'Each is what a route of this document requires.' }),
    }),
  },
});
