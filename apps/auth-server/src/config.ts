import { z } from 'zod';
import { parseConfig, PLATFORM_KEYS, platformShape, type Environment } from '#libs/config';

const schema = z.object({
  ...platformShape,
  /** The issuer identifier, without a trailing slash; the public URL's `/auth` where nothing else is said. */
  WHARF_ISSUER: z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/$/, ''))
    .optional(),
  /** Whether a balancer of ours stands in front and writes `X-Forwarded-For`. */
  WHARF_TRUST_PROXY: z.stringbool().default(false),
  /** Clients that one address may register, or have fetched by their metadata document's URL. */
  WHARF_REGISTRATIONS_PER_HOUR: z.coerce.number().int().min(1).max(1_000_000).default(60),
  /** Sign-ins that one address may try at one account; five times as many of one address, and at one account. */
  WHARF_LOGINS_PER_QUARTER_HOUR: z.coerce.number().int().min(1).max(1_000_000).default(20),
});

/** What the authorization server is told. */
export type AuthServerConfig = Omit<z.infer<typeof schema>, 'WHARF_ISSUER'> & { readonly WHARF_ISSUER: string };

/** Parses the service's keys. @throws ConfigError */
export function parseAuthServerConfig(environment: Environment): AuthServerConfig {
  const config = parseConfig(schema, environment, PLATFORM_KEYS);
  return { ...config, WHARF_ISSUER: config.WHARF_ISSUER ?? `${config.WHARF_PUBLIC_URL}/auth` };
}
