import { z } from 'zod';
import { GROUP_ROLES } from '#libs/openid';
import { keysOfLeavers } from '../api-keys/keys-of-leavers.js';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { nextCursor, shortList } from '../paging/cursor.js';

const DOMAIN = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

const role = z.enum(GROUP_ROLES);

const issuer = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .refine((text) => !/[?#@]/.test(text), 'an issuer has no query, fragment or credentials')
  .meta({ description: 'The issuer identifier, spelled exactly as the provider does; it cannot be changed.' });

const domains = z
  .array(z.string().toLowerCase().regex(DOMAIN, 'a domain name such as example.com'))
  .max(50)
  .meta({
    description:
      'Only people whose e-mail is at one of these domains are let in; the sign-in page offers the provider to them. ' +
      'Empty lets in everybody whom the provider signs in. It gives no power over addresses: no account is found by e-mail.',
  });

const groupRoles = z
  .array(z.strictObject({ group: lineOfText(200), role }))
  .max(200)
  .refine((pairs) => new Set(pairs.map(({ group }) => group)).size === pairs.length, 'each group at most once')
  .meta({ description: 'Groups, exactly as the claim names them, and their roles; the strongest counts.' });

const fields = {
  name: lineOfText(60).meta({ description: 'What people read on the button: Continue with {name}.' }),
  client_id: lineOfText(300),
  client_secret: z
    .string()
    .min(1)
    .max(2_000)
    .regex(/^[\x20-\x7e]+$/, 'printable ASCII'),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'a scope without spaces'))
    .max(20)
    .refine((scopes) => scopes.includes('openid'), 'must include openid'),
  email_domains: domains,
  group_claim: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'the name of a claim')
    .nullable()
    .meta({ description: 'The claim of the ID token, or of userinfo, that lists a person’s groups.' }),
  group_roles: groupRoles,
  default_role: role
    .nullable()
    .meta({ description: 'The role of people without a mapped group; null lets none of them in.' }),
  just_in_time: z.boolean().meta({ description: 'Whether people become members when they first sign in.' }),
  accepts_assertions: z.boolean().meta({
    description:
      'Whether agents may trade an identity assertion (ID-JAG) of this provider for a token, without a browser.',
  }),
  sign_in_again_hours: z
    .int()
    .min(1)
    .max(720)
    .meta({
      description:
        'After this time in which the provider said nothing about a person, their agents get no new token until they sign ' +
        'in again. Where it gives refresh tokens (for many: the scope `offline_access`), it is asked every hour.',
    }),
  keys_of_leavers: z.enum(['revoke', 'keep']).meta({
    description:
      'What becomes of the API keys of somebody whom the provider lets in no more, or in a role that makes none: ' +
      '`revoke` ends them for good; with `keep` they go on.',
  }),
} as const;

const providerSchema = z
  .strictObject({
    ...fields,
    client_secret: z.never().optional(),
    id: z.uuid(),
    issuer: z.string(),
    redirect_uri: z.url().meta({ description: 'To be registered at the provider; the same for all of the tenant’s.' }),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .omit({ client_secret: true })
  .meta({ id: 'IdentityProvider' });

const params = z.strictObject({ provider: z.uuid() });

/** `POST /v1/identity-providers` */
export const createProvider = contract({
  summary: 'Connect an OpenID provider, whose people may then sign in at this tenant’s URLs.',
  description:
    'Its configuration is fetched and checked now. Its people exist at this tenant alone, known by the provider’s ' +
    'issuer and subject: never as somebody who already has an account.',
  body: jsonBody(
    z.strictObject({
      ...fields,
      issuer,
      scopes: fields.scopes.default(['openid', 'email', 'profile']),
      email_domains: fields.email_domains.default([]),
      group_claim: fields.group_claim.default(null),
      group_roles: fields.group_roles.default([]),
      default_role: fields.default_role.default('user'),
      just_in_time: fields.just_in_time.default(true),
      accepts_assertions: fields.accepts_assertions.default(false),
      sign_in_again_hours: fields.sign_in_again_hours.default(24),
      keys_of_leavers: fields.keys_of_leavers.default('revoke'),
    }),
  ),
  etag: 'shown',
  answer: { status: 201, means: 'The provider; its secret is never shown.', schema: providerSchema },
  refuses: ['conflict', 'unprocessable'],
});

/** `GET /v1/identity-providers` */
export const listProviders = contract({
  summary: 'List the tenant’s OpenID providers.',
  query: z.strictObject({ ...shortList }),
  answer: {
    status: 200,
    means: 'The providers, oldest first.',
    schema: z.strictObject({ identity_providers: z.array(providerSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/identity-providers/{provider}` */
export const getProvider = contract({
  summary: 'Show an OpenID provider.',
  params,
  etag: 'shown',
  answer: { status: 200, means: 'The provider.', schema: providerSchema },
});

/** `PATCH /v1/identity-providers/{provider}` */
export const changeProvider = contract({
  summary: 'Change an OpenID provider; roles follow at each person’s next sign-in.',
  params,
  body: jsonBody(z.strictObject(fields).partial()),
  etag: 'compared',
  answer: { status: 200, means: 'The provider.', schema: providerSchema },
  refuses: ['unprocessable'],
});

/** `DELETE /v1/identity-providers/{provider}` */
export const deleteProvider = contract({
  summary: 'Disconnect an OpenID provider; its people lose access at once, and their agents too.',
  description: 'The API keys that its people made are revoked, unless `keys=keep`.',
  params,
  query: z.strictObject({ keys: keysOfLeavers }),
  etag: 'compared',
  answer: { status: 204, means: 'The provider is gone.' },
});
