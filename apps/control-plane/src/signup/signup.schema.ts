import { z } from 'zod';
import { isIdShaped } from '#libs/database';
import { isNobodysAddress } from '#libs/mail';
import { contract, jsonBody } from '../contract/contract.js';
import { lineOfText } from '../contract/text.js';
import { newApiKeySchema } from '../api-keys/api-keys.schema.js';
import { tenantSchema, tenantUrlsSchema } from '../tenants/tenants.schema.js';
import { isReservedSlug } from './reserved-slugs.js';

/** The slug of a tenant that is new here. */
export const newTenantSlug = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a DNS label: 1 to 63 lower-case letters, digits and inner hyphens')
  .refine((text) => !isReservedSlug(text), 'This slug is reserved. Choose another one.')
  .refine(
    (text) => !isIdShaped(text),
    'This slug is written like an id and would be mistaken for one. Choose another one.',
  );

/** An e-mail address in the form that accounts are found by. */
export const emailAddress = z
  .string()
  .trim()
  .max(254)
  .transform((text) => text.normalize('NFKC').toLowerCase())
  .pipe(z.email().refine((text) => !isNobodysAddress(text), 'This address is nobody’s. Use one that gets mail.'));

/** A person's password. */
export const newPassword = z
  .string()
  .min(12)
  .max(128)
  .meta({ description: 'The person’s password, 12 to 128 characters.' });

/** `POST /v1/signup` */
export const signUp = contract({
  summary: 'Sign up: creates a tenant, its owner and a first API key.',
  description:
    'One call gives a working tenant. The API key is shown this once. A person who has an account already signs up another tenant with the same e-mail address and password.',
  body: jsonBody(
    z.strictObject({
      tenant_name: lineOfText(120),
      slug: newTenantSlug.meta({ description: 'Names the tenant in its URLs; cannot be changed.' }),
      email: emailAddress.meta({ description: 'The owner’s e-mail address.' }),
      password: newPassword,
    }),
    { bytesMax: 16 * 1024 },
  ),
  answer: {
    status: 201,
    means: 'The tenant works.',
    schema: z.strictObject({ tenant: tenantSchema, urls: tenantUrlsSchema, api_key: newApiKeySchema }),
  },
  refuses: ['conflict', 'rate_limited'],
});
