import { z } from 'zod';
import { clientKeySetSchema, REDIRECT_URI_LENGTH_MAX, redirectUriProblem } from '#libs/identity';
import { contract, jsonBody } from '../contract/contract.js';
import { overlapSeconds } from '../contract/overlap.js';
import { lineOfText } from '../contract/text.js';
import { nextCursor, shortList } from '../paging/cursor.js';
import { callScope, SCOPES_MAX } from '../scopes/scope-schema.js';
import { keySetUrlProblem } from './client-rules.js';
import { CLIENT_AUTH_METHODS, CLIENT_KINDS } from './client-kinds.js';

const params = z.strictObject({
  client: z
    .string()
    .regex(/^wcl_[A-Za-z0-9_-]{44}$/)
    .meta({ description: 'The client’s `client_id`.' }),
});

const withProblem = (problemOf: (text: string) => string | undefined) => (text: string, context: z.RefinementCtx) => {
  const message = problemOf(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
};

const changeable = {
  name: lineOfText(100).meta({ description: 'Shown to people who are asked for their consent.' }),
  redirect_uris: z
    .array(z.string().max(REDIRECT_URI_LENGTH_MAX).superRefine(withProblem(redirectUriProblem)))
    .max(10)
    .refine((uris) => new Set(uris).size === uris.length, 'each redirect URI once')
    .meta({ description: 'Where people are sent back to, compared exactly; a loopback URI with any port.' }),
  scopes: z
    .array(callScope)
    .max(SCOPES_MAX)
    .refine((scopes) => new Set(scopes).size === scopes.length, 'each scope once')
    .meta({ description: 'What a machine client may ask for.' }),
  jwks: clientKeySetSchema.meta({ description: 'The client’s public keys, for `private_key_jwt`.' }),
  jwks_uri: z.string().max(2_048).superRefine(withProblem(keySetUrlProblem)).meta({
    description: 'Where the client publishes its keys instead: https on a public address, at most 10 KiB.',
  }),
};

/** A client with all but its secret. */
export const clientSchema = z
  .strictObject({
    client_id: z.string(),
    kind: z.enum(CLIENT_KINDS),
    name: z.string(),
    token_endpoint_auth_method: z.enum(CLIENT_AUTH_METHODS),
    redirect_uris: z.array(z.string()),
    scopes: z.array(z.string()),
    jwks: z.looseObject({}).nullable(),
    jwks_uri: z.string().nullable(),
    enabled: z.boolean(),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable().meta({ description: 'When it last got a token.' }),
    previous_secret_expires_at: z.iso.datetime().nullable().meta({
      description: 'Until when the secret before the present one is good too.',
    }),
  })
  .meta({ id: 'Client' });

const secretText = z.string().meta({ description: 'The secret itself, shown this once.' });

/** `GET /v1/clients` */
export const listClients = contract({
  summary: 'List the OAuth clients that this tenant registered; never their secrets.',
  query: z.strictObject({ kind: z.enum(CLIENT_KINDS).optional(), ...shortList }),
  answer: {
    status: 200,
    means: 'The clients, newest first.',
    schema: z.strictObject({ clients: z.array(clientSchema), next_cursor: nextCursor }),
  },
});

/** `POST /v1/clients` */
export const createClient = contract({
  summary: 'Register an OAuth client of this tenant: an app that people sign in with, or a machine agent.',
  description:
    'A client gets tokens for this tenant’s URLs only. A `public` client keeps no secret; a `confidential` one ' +
    'authenticates with a secret or a key; both need `redirect_uris`. A `machine` client acts for itself ' +
    '(`client_credentials`) within its `scopes` and has no `redirect_uris`.',
  body: jsonBody(
    z.strictObject({
      kind: z.enum(CLIENT_KINDS),
      name: changeable.name,
      token_endpoint_auth_method: z
        .enum(CLIENT_AUTH_METHODS)
        .optional()
        .meta({ description: '`none` for public clients, otherwise `client_secret_basic` unless said.' }),
      redirect_uris: changeable.redirect_uris.optional(),
      scopes: changeable.scopes.optional(),
      jwks: changeable.jwks.optional(),
      jwks_uri: changeable.jwks_uri.optional(),
    }),
    { bytesMax: 64 * 1024 },
  ),
  answer: {
    status: 201,
    means: 'The client; with its secret where it has one.',
    schema: z.strictObject({ client: clientSchema, client_secret: secretText.nullable() }),
  },
  refuses: ['conflict', 'unprocessable'],
});

/** `GET /v1/clients/{client}` */
export const getClient = contract({
  summary: 'Show one OAuth client.',
  params,
  etag: 'shown',
  answer: { status: 200, means: 'The client.', schema: clientSchema },
});

/** `PATCH /v1/clients/{client}` */
export const changeClient = contract({
  summary: 'Change an OAuth client; disabled, it and its tokens stop working within seconds.',
  params,
  body: jsonBody(
    z
      .strictObject({ ...changeable, enabled: z.boolean() })
      .partial()
      .refine((changes) => Object.keys(changes).length > 0, 'Name at least one thing to change.'),
    { bytesMax: 64 * 1024 },
  ),
  etag: 'compared',
  answer: { status: 200, means: 'The client.', schema: clientSchema },
  refuses: ['unprocessable'],
});

/** `POST /v1/clients/{client}/secret` */
export const rotateSecret = contract({
  summary: 'Give a client a new secret; the present one stays good for the overlap.',
  description: 'Two secrets are good at most: rotating again within the overlap ends the oldest at once.',
  params,
  body: jsonBody(
    z.strictObject({
      overlap_seconds: overlapSeconds('the present secret stays good'),
    }),
  ),
  answer: {
    status: 200,
    means: 'The client with its new secret.',
    schema: z.strictObject({ client: clientSchema, client_secret: secretText }),
  },
  refuses: ['conflict'],
});

/** `DELETE /v1/clients/{client}` */
export const deleteClient = contract({
  summary: 'Delete an OAuth client for good; it and its tokens stop working within seconds.',
  params,
  etag: 'compared',
  answer: { status: 204, means: 'The client is gone.' },
});
