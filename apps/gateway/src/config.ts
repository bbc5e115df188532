import { z } from 'zod';
import { isWebOrigin } from '#libs/http';
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
  ...runtimeCallerShape,
  ...objectStoreShape,
  ...tokenVerifierShape,
  /** `true` where a balancer of ours writes the last entry of X-Forwarded-For. */
  WHARF_TRUST_PROXY: z.stringbool().default(false),
  /** Web pages that may call every tenant's URLs: origins separated by commas. */
  WHARF_WEB_CLIENT_ORIGINS: z
    .string()
    .default('https://claude.ai,https://claude.com,https://chatgpt.com')
    .transform((origins) => origins.split(',').map((origin) => origin.trim()))
    .transform((origins) => origins.filter((origin) => origin !== ''))
    .pipe(z.array(z.string().refine(isWebOrigin, 'must be an origin: https://host[:port], or http of this machine'))),
  /** Audit records that may wait on disk for the database; past it, calls are refused. */
  WHARF_SPOOL_ENTRIES_MAX: z.coerce.number().int().min(1).max(10_000_000).default(100_000),
  /** How long an answer that is too large to be shown is kept for its caller. */
  WHARF_KEPT_RESULT_SECONDS: z.coerce.number().int().min(1).max(86_400).default(900),
  /** Bytes of such answers in Redis at once, of all tenants; a quarter of its `maxmemory` where that is less. */
  WHARF_KEPT_RESULT_BYTES_MAX: z.coerce.number().int().min(0).max(1_099_511_627_776).default(67_108_864),
  /** How long one call may take. */
  WHARF_CALL_TIMEOUT_MS: z.coerce.number().int().min(100).max(600_000).default(60_000),
  /** However much progress a call makes, it is given up after this. */
  WHARF_CALL_TIMEOUT_MAX_MS: z.coerce.number().int().min(100).max(3_600_000).default(600_000),
  /** Calls are refused, by fair shares, while everything waits longer than this for its turn in the gateway. */
  WHARF_OVERLOAD_DELAY_MS: z.coerce.number().int().min(5).max(60_000).default(100),
  /** Where this gateway stands, as policies name it. */
  WHARF_REGION: z
    .string()
    .regex(/^[a-z0-9-]{0,32}$/, 'up to 32 of a-z, 0-9 and -')
    .default(''),
  /** How often a stream says that it lives; a call that is not answered by then becomes one. */
  WHARF_HEARTBEAT_MS: z.coerce.number().int().min(50).max(60_000).default(15_000),
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
  return { ...config, ...tokenIssuerOf(config), trustProxy: config.WHARF_TRUST_PROXY };
}
