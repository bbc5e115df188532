import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { reasonText } from '../operators/act.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const keySchema = z
  .strictObject({
    kid: z.string(),
    alg: z.string(),
    state: z.enum(['coming', 'signing', 'leaving', 'retired']).meta({
      description:
        '`coming`: published, signs later. `leaving`: signs no more, published until no token of it can be left.',
    }),
    created_at: z.iso.datetime(),
    signs_from: z.iso.datetime(),
    rotates_at: z.iso.datetime().nullable().meta({ description: 'When an operator asked for its successor.' }),
    retires_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'SigningKey' });

const because = jsonBody(z.strictObject({ reason: reasonText }));
const keys = z.strictObject({ signing_keys: z.array(keySchema) });

/** `GET /admin/v1/signing-keys` */
export const listSigningKeys = contract({
  summary: 'List the keys that sign access tokens, without the private parts.',
  query: z.strictObject({ ...shortList }),
  answer: { status: 200, means: 'The keys, newest first.', schema: keys.extend({ next_cursor: nextCursor }) },
});

/** `POST /admin/v1/signing-keys/rotation` */
export const rotateSigningKey = contract({
  summary: 'Let a new key take over.',
  description:
    'Within half a minute a new key is published; it signs 15 minutes later, and the old one stays published for ' +
    'another hour. Nobody is signed out.',
  body: because,
  answer: { status: 202, means: 'The rotation begins.', schema: keys },
});

/** `POST /admin/v1/signing-keys/{kid}/retirement` */
export const retireSigningKey = contract({
  summary: 'End a key at once, because somebody else may have it.',
  description:
    'Its tokens stop working within two minutes; agents fetch new ones with their refresh tokens. Where it was the key that ' +
    'signs, another takes over at once.',
  params: z.strictObject({ kid: z.string().regex(/^[A-Za-z0-9_-]{43}$/) }),
  body: because,
  answer: { status: 202, means: 'The key ends.', schema: keys },
});
