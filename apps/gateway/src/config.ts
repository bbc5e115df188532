import { z } from 'zod';
import { parseConfig, PLATFORM_KEYS, platformShape, secretText, type Environment } from '#libs/config';

const schema = z.object({
  ...platformShape,
  /** The secret that worker-runtime and its callers share. */
  WHARF_INTAKE_KEY: secretText(32),
  /** Unix socket paths of the worker-runtimes, separated by commas. */
  WHARF_RUNTIME_SOCKETS: z
    .string()
    .min(1)
    .transform((sockets) => sockets.split(',').map((socket) => socket.trim())),
  WHARF_ISSUER: z.url().optional(),
  WHARF_JWKS_URL: z.url().optional(),
  /** `true` where a balancer of ours writes the last entry of X-Forwarded-For. */
  WHARF_TRUST_PROXY: z.stringbool().default(false),
  /** How long one call may take. */
  WHARF_CALL_TIMEOUT_MS: z.coerce.number().int().min(100).max(600_000).default(60_000),
});

/** What the gateway is told. */
export type GatewayConfig = z.infer<typeof schema> & {
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly trustProxy: boolean;
};

/** Parses the gateway's keys. @throws ConfigError */
export function parseGatewayConfig(environment: Environment): GatewayConfig {
  const config = parseConfig(schema, environment, PLATFORM_KEYS);
  const issuer = config.WHARF_ISSUER ?? `${config.WHARF_PUBLIC_URL}/auth`;
  return {
    ...config,
    issuer,
    jwksUrl: config.WHARF_JWKS_URL ?? `${issuer}/jwks`,
    trustProxy: config.WHARF_TRUST_PROXY,
  };
}
