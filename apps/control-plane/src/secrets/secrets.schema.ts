import { z } from 'zod';
import { VERSIONS_KEPT } from '#libs/secrets';
import { contract, jsonBody } from '../contract/contract.js';
import { environmentName } from '../environments/environment-name.js';
import { nextCursor, pageLimit, shortList } from '../paging/cursor.js';

/** How many secrets a tenant has at most. */
export const SECRETS_MAX = 500;

const VALUE_BYTES_MAX = 8 * 1024;

const secretName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'A name has up to 63 of a-z, 0-9, - and _, and starts with a letter or digit.')
  .describe('The secret’s name.');

const params = z.strictObject({ name: secretName });

const versionParams = params.extend({
  version: z.coerce.number<string>().int().min(1).max(2_147_483_647).meta({ description: 'The version’s number.' }),
});

const inEnvironment = z.strictObject({
  environment: environmentName.optional().meta({
    description:
      'The environment whose value it is; production’s without it. The same name has other values elsewhere.',
  }),
});

const secretSchema = z
  .strictObject({
    name: z.string(),
    environment: z.string().meta({ description: '`production`, or the environment whose value it is.' }),
    version: z.int(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Secret' });

/** `PUT /v1/secrets/{name}` */
export const writeSecret = contract({
  summary: 'Write a secret; its value can never be read again.',
  params,
  query: inEnvironment,
  creates: 'what the path names',
  body: jsonBody(
    z.strictObject({
      value: z
        .string()
        .min(1)
        .refine((text) => Buffer.byteLength(text) <= VALUE_BYTES_MAX, `at most ${VALUE_BYTES_MAX} bytes`)
        .refine((text) => !/[\u0000\r\n]/.test(text), 'one line: it is sent in headers')
        .refine((text) => text.isWellFormed(), 'well-formed Unicode'),
    }),
    { bytesMax: 64 * 1024 },
  ),
  etag: 'compared',
  answer: { status: 200, means: 'The secret has this version now.', schema: secretSchema },
  refuses: ['conflict', 'unprocessable'],
});

/** `GET /v1/secrets/{name}` */
export const getSecret = contract({
  summary: 'Show what is known of a secret beside its value, which nobody is shown.',
  params,
  query: inEnvironment,
  etag: 'shown',
  answer: { status: 200, means: 'The secret.', schema: secretSchema },
});

/** `GET /v1/secrets` */
export const listSecrets = contract({
  summary: 'List the secrets’ names and versions; never their values.',
  query: inEnvironment.extend({ ...shortList, limit: pageLimit(SECRETS_MAX, SECRETS_MAX) }),
  answer: {
    status: 200,
    means: 'The secrets by name.',
    schema: z.strictObject({
      secrets: z.array(secretSchema),
      next_cursor: nextCursor,
    }),
  },
});

/** `DELETE /v1/secrets/{name}` */
export const deleteSecret = contract({
  summary: 'Delete a secret; calls that need it fail from now on.',
  params,
  query: inEnvironment,
  etag: 'compared',
  answer: { status: 204, means: 'The secret is gone.' },
});

const versionSchema = z
  .strictObject({
    version: z.int(),
    current: z.boolean().meta({ description: 'Whether calls use it; an earlier one waits to be restored.' }),
    created_at: z.iso.datetime(),
    created_by: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'Who wrote it, as the audit log names them; null where that was not kept yet.' }),
    key_id: z.uuid().meta({ description: 'The tenant’s data key under which it is sealed now.' }),
    restored_from: z.int().nullable().meta({ description: 'The earlier version whose value it has.' }),
  })
  .meta({ id: 'SecretVersion' });

/** `GET /v1/secrets/{name}/versions` */
export const listVersions = contract({
  summary: 'List the versions of a secret that are kept; never their values.',
  description: `The one in use and up to ${VERSIONS_KEPT - 1} before it. The oldest is deleted with each that is written.`,
  params,
  query: inEnvironment.extend(shortList),
  answer: {
    status: 200,
    means: 'The versions, the newest first.',
    schema: z.strictObject({ versions: z.array(versionSchema), next_cursor: nextCursor }),
  },
});

/** `POST /v1/secrets/{name}/versions/{version}/restore` */
export const restoreVersion = contract({
  summary: 'Write the value of an earlier version anew.',
  description:
    'It becomes the newest version, under the next number; the one in use until now is kept as an earlier one.',
  params: versionParams,
  query: inEnvironment,
  etag: 'compared',
  answer: { status: 200, means: 'The secret has this version now.', schema: secretSchema },
  refuses: ['conflict'],
});

/** `DELETE /v1/secrets/{name}/versions/{version}` */
export const deleteVersion = contract({
  summary: 'Delete an earlier version of a secret, so that nobody restores it.',
  params: versionParams,
  query: inEnvironment,
  answer: { status: 204, means: 'The version is gone.' },
  refuses: ['conflict'],
});
