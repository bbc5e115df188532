import { z } from 'zod';

/** Name of a secret of the tenant. */
export const SECRET_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** A credential that egress adds to a request, for the origins it is meant for and no other. */
export const credentialSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9_-]{1,64}$/i)
    .describe('What tools name it by.'),
  secret: z.string().regex(SECRET_NAME).describe('Name of one of your secrets.'),
  in: z.enum(['header', 'query']),
  name: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,64}$/)
    .describe('Name of the header or query parameter.'),
  prefix: z.string().max(32).default('').describe('Text before the value, such as `Bearer ` with its space.'),
  origins: z.array(z.url()).min(1).max(16).describe('Origins that may receive it: `https://api.example.com`.'),
});

export type Credential = z.infer<typeof credentialSchema>;
