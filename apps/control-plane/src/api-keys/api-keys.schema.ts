import { z } from 'zod';
import { contract, jsonBody } from '../contract/contract.js';
import { moment } from '../contract/times.js';
import { overlapSeconds } from '../contract/overlap.js';
import { lineOfText } from '../contract/text.js';
import { nextCursor, pageCursor, pageLimit } from '../paging/cursor.js';
import { callScope, SCOPES_MAX } from '../scopes/scope-schema.js';

/** What an API key may be used for: the management API, every tenant URL, or parts of servers. */
const keyScope = z.union([z.literal('management').meta({ description: 'The management API.' }), callScope]);

const keyShape = {
  id: z.uuid(),
  name: z.string(),
  prefix: z.string().meta({ description: 'The first characters, to recognise the key by.' }),
  scopes: z.array(z.string()),
  created_at: z.iso.datetime(),
  created_by: z.uuid().nullable().meta({
    description:
      'The account that was shown its text: who made it, or whose key it was made with. They cannot approve its calls.',
  }),
  expires_at: z.iso.datetime().nullable(),
};

const apiKeySchema = z
  .strictObject({ ...keyShape, revoked_at: z.iso.datetime().nullable(), last_used_at: z.iso.datetime().nullable() })
  .meta({ id: 'ApiKey' });

/** A key at the one moment its text is shown. */
export const newApiKeySchema = z
  .strictObject({ ...keyShape, text: z.string().meta({ description: 'The key itself, shown this once.' }) })
  .meta({ id: 'NewApiKey' });

/** `GET /v1/api-keys` */
export const listApiKeys = contract({
  summary: 'List the API keys, revoked ones too; never their text.',
  query: z.strictObject({
    state: z.enum(['usable', 'expired', 'revoked']).optional(),
    limit: pageLimit(200, 200),
    cursor: pageCursor,
  }),
  answer: {
    status: 200,
    means: 'The keys, newest first.',
    schema: z.strictObject({ api_keys: z.array(apiKeySchema), next_cursor: nextCursor }),
  },
});

/** `POST /v1/api-keys` */
export const createApiKey = contract({
  summary: 'Create an API key.',
  body: jsonBody(
    z.strictObject({
      name: lineOfText(64),
      scopes: z
        .array(keyScope)
        .min(1)
        .max(SCOPES_MAX)
        .refine((scopes) => new Set(scopes).size === scopes.length, 'each scope once'),
      expires_at: moment.refine((text) => Date.parse(text) > Date.now(), 'a time in the future').optional(),
    }),
  ),
  answer: { status: 201, means: 'The key, with its text.', schema: newApiKeySchema },
  refuses: ['conflict', 'unprocessable'],
});

/** `DELETE /v1/api-keys/{id}` */
export const revokeApiKey = contract({
  summary: 'Revoke an API key at once and for good.',
  params: z.strictObject({ id: z.uuid() }),
  answer: { status: 204, means: 'The key is revoked, or was already.' },
});

/** `POST /v1/api-keys/{id}/rotation` */
export const rotateApiKey = contract({
  summary: 'Give out a successor of an API key; the present one stays good for the overlap.',
  description: 'The successor has the same name, scopes and end. The present key ends with the overlap at the latest.',
  params: z.strictObject({ id: z.uuid() }),
  body: jsonBody(
    z.strictObject({
      overlap_seconds: overlapSeconds('the present key stays good'),
    }),
  ),
  answer: { status: 201, means: 'The successor, with its text.', schema: newApiKeySchema },
  refuses: ['conflict'],
});
