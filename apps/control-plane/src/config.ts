import { z } from 'zod';
import {
  objectStoreShape,
  parseConfig,
  PLATFORM_KEYS,
  platformShape,
  runtimeCallerShape,
  tokenIssuerOf,
  tokenVerifierShape,
  type Environment,
} from '#libs/config';

const schema = z.object({
  ...platformShape,
  ...tokenVerifierShape,
  ...runtimeCallerShape,
  ...objectStoreShape,
  /** Whether the last entry of `X-Forwarded-For` was written by our own balancer. */
  WHARF_TRUST_PROXY: z.stringbool().default(false),
  /** Sign-ups that one address may try in an hour. */
  WHARF_SIGNUPS_PER_HOUR: z.coerce.number().int().min(1).max(1_000_000).default(10),
  /** Requests that one tenant, or one operator, may send in a minute; a sixth of them at once. */
  WHARF_MANAGEMENT_CALLS_PER_MINUTE: z.coerce.number().int().min(1).max(1_000_000).default(600),
  /** Whom a tenant writes to about what an operator decided: an address or a URL, shown as it is. */
  WHARF_OPERATOR_CONTACT: z
    .string()
    .max(200)
    .regex(/^[\x21-\x7e]+$/, 'an e-mail address or a URL')
    .optional(),
  /** Credentials that one address may try in vain in a minute. */
  WHARF_REFUSED_CREDENTIALS_PER_MINUTE: z.coerce.number().int().min(1).max(1_000_000).default(60),
});

/** What the control plane is told. */
export type ControlPlaneConfig = z.infer<typeof schema> & { readonly issuer: string; readonly jwksUrl: string };

/** Parses the service's keys. @throws ConfigError */
export function parseControlPlaneConfig(environment: Environment): ControlPlaneConfig {
  const config = parseConfig(schema, environment, PLATFORM_KEYS);
  return { ...config, ...tokenIssuerOf(config) };
}
