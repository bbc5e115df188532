import { z } from 'zod';
import { parseConfig, PLATFORM_KEYS, platformShape, secretText, type Environment } from '#libs/config';

const schema = z.object({
  ...platformShape,
  /** The authorization server's issuer; default `{public-url}/auth`. */
  WHARF_ISSUER: z.url({ protocol: /^https?$/ }).optional(),
  /** Where its keys are; default `{issuer}/jwks`. */
  WHARF_JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** The secret that worker-runtime and its callers share. */
  WHARF_INTAKE_KEY: secretText(32),
  /** Unix socket paths of the worker-runtimes, separated by commas. */
  WHARF_RUNTIME_SOCKETS: z
    .string()
    .min(1)
    .transform((sockets) => sockets.split(',').map((socket) => socket.trim())),
  /** Whether the last entry of `X-Forwarded-For` was written by our own balancer. */
  WHARF_TRUST_PROXY: z.stringbool().default(false),
  /** Sign-ups that one address may try in an hour. */
  WHARF_SIGNUPS_PER_HOUR: z.coerce.number().int().min(1).max(1_000_000).default(10),
});

/** What the control plane is told. */
export type ControlPlaneConfig = z.infer<typeof schema> & { readonly issuer: string; readonly jwksUrl: string };

/** Parses the service's keys. @throws ConfigError */
export function parseControlPlaneConfig(environment: Environment): ControlPlaneConfig {
  const config = parseConfig(schema, environment, PLATFORM_KEYS);
  const issuer = config.WHARF_ISSUER ?? `${config.WHARF_PUBLIC_URL}/auth`;
  return { ...config, issuer, jwksUrl: config.WHARF_JWKS_URL ?? `${issuer}/jwks` };
}
