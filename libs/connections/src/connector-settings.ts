import { z } from 'zod';
import { CLIENT_METHODS } from './connector.js';

const webUrl = z.url({ protocol: /^https?$/ }).max(2_048);
/** One scope (RFC 6749, 3.3). */
export const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/;

/** What a tenant says of an upstream where its people log in; everything else is found out there. */
export const connectorSettingsSchema = z.strictObject({
  title: z
    .string()
    .trim()
    .min(1)
    .max(60)
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, 'a line of text without control characters')
    .describe('What people read: Log in at {title}.'),
  resource: webUrl
    .optional()
    .describe('URL of an MCP server: who grants tokens for it is found there (RFC 9728), and tokens are asked for it.'),
  issuer: webUrl
    .optional()
    .describe('Issuer of the authorization server or OpenID provider, whose metadata is read (RFC 8414).'),
  endpoints: z
    .strictObject({ authorization: webUrl, token: webUrl, revocation: webUrl.optional() })
    .optional()
    .describe('Or its endpoints, where it publishes no metadata. A `client` is needed then.'),
  client: z
    .strictObject({
      id: z.string().min(1).max(512),
      secret: z
        .string()
        .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/)
        .optional()
        .describe('Name of one of your secrets: the client’s secret. Without it, a public client.'),
      method: z.enum(CLIENT_METHODS).exclude(['none']).default('basic'),
    })
    .optional()
    .describe(
      'The client that you registered there. Without it, the platform names itself by a document, or registers itself.',
    ),
  scopes: z
    .array(z.string().regex(SCOPE, 'a scope without spaces'))
    .max(50)
    .default([])
    .describe('Scopes to ask for; without any, those that the upstream names.'),
  origins: z
    .array(webUrl.transform((text) => new URL(text).origin))
    .max(16)
    .default([])
    .describe('Origins that a person’s token may be sent to; the origin of `resource` is always one.'),
});

/** What a tenant says of an upstream. */
export type ConnectorSettings = z.infer<typeof connectorSettingsSchema>;

/** The origins that may be sent a token. */
export function originsOf({ resource, origins }: ConnectorSettings): string[] {
  const own = resource === undefined ? [] : [new URL(resource).origin];
  return [...new Set([...own, ...origins])];
}
