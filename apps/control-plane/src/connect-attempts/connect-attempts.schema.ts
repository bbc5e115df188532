import { z } from 'zod';
import { STEPS } from '#libs/connect-attempts';
import { contract } from '../contract/contract.js';
import { profileParams } from '../profiles/profiles.schema.js';
import { serverParams } from '../servers/servers.schema.js';

const step = z.enum(STEPS).meta({
  description:
    'In order: the 401, protected-resource metadata, authorization-server metadata, registration, the authorization ' +
    'request, sign-in, consent, the token, initialize or discover, the list of tools.',
});
const rule = z.string().nullable().meta({ description: 'The rule at which it was refused; null where it was let on.' });

const attemptSchema = z
  .strictObject({
    id: z.uuid(),
    url: z.string().meta({ description: 'The URL that was called: the server’s, or the tenant’s own.' }),
    agent: z.string().meta({ description: 'What the program calls itself; nobody has checked it.' }),
    client: z.string().nullable().meta({ description: 'The OAuth client id, where it is known.' }),
    state: z.enum(['connected', 'refused', 'waiting']).meta({
      description: '`waiting`: let on so far, and nothing came after it.',
    }),
    stopped_at: z.strictObject({ step, rule, advice: z.string().meta({ description: 'What to do.' }) }).nullable(),
    started_at: z.iso.datetime(),
    last_at: z.iso.datetime(),
    steps: z.array(
      z.strictObject({
        step,
        rule,
        advice: z.string().nullable(),
        first_at: z.iso.datetime(),
        last_at: z.iso.datetime(),
        times: z.int().meta({ description: 'How often the same was done within ten minutes.' }),
      }),
    ),
  })
  .meta({ id: 'ConnectAttempt' });

/** `GET /v1/servers/{server}/connect-attempts` */
export const listConnectAttempts = contract({
  summary: 'Show how far agents came that tried to connect, step by step, and at which rule they stopped.',
  description:
    'Attempts of the last 24 hours at the server’s URL and at the tenant’s own, newest first: at most the newest 1,000 ' +
    'steps of visitors who proved who they are and 1,000 of others. No codes, tokens, addresses or e-mails are kept.',
  params: serverParams,
  answer: {
    status: 200,
    means: 'Attempts, newest first.',
    schema: z.strictObject({ attempts: z.array(attemptSchema) }),
  },
});

/** `GET /v1/servers/{server}/connect-attempts/report` */
export const reportConnectAttempts = contract({
  summary: 'The attempts to connect as one page of plain text.',
  params: serverParams,
  answer: { status: 200, means: 'The page.', schema: z.string(), mediaType: 'text/plain' },
});

/** `GET /v1/profiles/{profile}/connect-attempts` */
export const listProfileAttempts = contract({
  ...listConnectAttempts,
  summary: 'Show how far agents came that tried to connect to a profile.',
  description: 'As for a server: attempts of the last 24 hours at the profile’s URL and at the tenant’s own.',
  params: profileParams,
});
