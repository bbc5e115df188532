import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const VALUE_BYTES_MAX = 8 * 1024;

const secretName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'A name has up to 63 of a-z, 0-9, - and _, and starts with a letter or digit.')
  .describe('The secret’s name.');

const params = z.strictObject({ name: secretName });

const writtenSchema = z.strictObject({ name: z.string(), version: z.int(), updated_at: z.iso.datetime() });

/** `PUT /v1/secrets/{name}` */
export const writeSecret = contract({
  summary: 'Write a secret; its value can never be read again.',
  params,
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
  answer: { status: 200, means: 'The secret has this version now.', schema: writtenSchema },
  refuses: ['conflict'],
});

/** `GET /v1/secrets` */
export const listSecrets = contract({
  summary: 'List the secrets’ names and versions; never their values.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The secrets by name.',
    schema: z.strictObject({
      secrets: z.array(writtenSchema.extend({ created_at: z.iso.datetime() })),
      next_cursor: nextCursor,
    }),
  },
});

/** `DELETE /v1/secrets/{name}` */
export const deleteSecret = contract({
  summary: 'Delete a secret; calls that need it fail from now on.',
  params,
  answer: { status: 204, means: 'The secret is gone.' },
});
