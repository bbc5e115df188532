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
  /** How old the key that signs tokens may grow before another takes over. */
  WHARF_SIGNING_KEY_DAYS: z.coerce.number().int().min(1).max(3_650).default(90),
  /** How often each instance looks whether the signing keys have changed. */
  WHARF_SIGNING_KEY_CHECK_MS: z.coerce.number().int().min(50).max(60_000).default(30_000),
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
