import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { nextCursor, shortList } from '../paging/cursor.js';
import { serverParams, serverSchema } from '../servers/servers.schema.js';
import { environmentName, PRODUCTION } from './environment-name.js';

const HOST = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** What holds in an environment beside the plan; what is left out stays. */
const policyChange = z
  .strictObject({
    calls_per_minute: z.int().min(1).max(10_000_000).nullable().optional(),
    concurrent_calls: z.int().min(1).max(100_000).nullable().optional(),
    audit_mode: z.enum(['process', 'disk', 'database']).nullable().optional(),
    egress_hosts: z
      .array(z.string().regex(HOST, 'a host’s name in lower case, without port and path'))
      .max(64)
      .nullable()
      .optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'say what is to change');

const policySchema = z
  .strictObject({
    calls_per_minute: z.int().nullable().meta({ description: 'Its part of the plan’s; null leaves it to the plan.' }),
    concurrent_calls: z.int().nullable().meta({ description: 'Its part of the plan’s; null leaves it to the plan.' }),
    audit_mode: z.enum(['process', 'disk', 'database']).nullable().meta({
      description: 'How safe its calls’ records are, never safer than the plan’s; null leaves it to the plan.',
    }),
    egress_hosts: z
      .array(z.string())
      .nullable()
      .meta({ description: 'All hosts that its tools may reach; null leaves it to the release.' }),
  })
  .meta({ id: 'EnvironmentPolicy' });

/** An environment of a server. */
export const environmentSchema = z
  .strictObject({
    environment: z.string(),
    server: serverSchema.meta({
      description: 'The server that it is: everything under `/v1/servers/{slug}` works on it by this slug.',
    }),
    policy: policySchema.nullable().meta({ description: 'Null for production, where the plan holds.' }),
  })
  .meta({ id: 'Environment' });

const environmentParams = serverParams.extend({ environment: environmentName });

/** `GET /v1/servers/{server}/environments` */
export const listEnvironments = contract({
  summary: 'List a server’s environments, production first.',
  params: serverParams,
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The environments.',
    schema: z.strictObject({ environments: z.array(environmentSchema), next_cursor: nextCursor }),
  },
});

/** `POST /v1/servers/{server}/environments` */
export const createEnvironment = contract({
  summary: 'Make an environment of a server, such as `staging`.',
  description:
    'It is a server of its own, `{server}~{environment}`, with its own URL, tokens, releases, rollouts and secrets. It ' +
    'begins with production’s settings and people, with no release and no secret. It counts among the plan’s servers.',
  params: serverParams,
  body: jsonBody(
    z.strictObject({
      environment: environmentName.refine((name) => name !== PRODUCTION, 'The server itself is its production.'),
    }),
  ),
  answer: { status: 201, means: 'The environment.', schema: environmentSchema },
  refuses: ['conflict'],
});

/** `GET /v1/servers/{server}/environments/{environment}` */
export const getEnvironment = contract({
  summary: 'Show an environment of a server.',
  etag: 'shown',
  tagged: ['policy'],
  params: environmentParams,
  answer: { status: 200, means: 'The environment.', schema: environmentSchema },
});

/** `PATCH /v1/servers/{server}/environments/{environment}` */
export const changeEnvironment = contract({
  summary: 'Say what holds in an environment beside the plan.',
  etag: 'compared',
  tagged: ['policy'],
  params: environmentParams,
  body: jsonBody(z.strictObject({ policy: policyChange })),
  answer: { status: 200, means: 'The environment.', schema: environmentSchema },
  refuses: ['unprocessable'],
});
