import { z } from 'zod';
import { dedicatedDatabasesText } from './dedicated-databases.js';
import { masterKeysText } from './master-keys.js';
import { secretText } from './parse-config.js';
import { parseRedisUrl, RedisAddressError } from './redis-address.js';

/** Every `WHARF_` key of the platform, whichever service reads it; anything else is a spelling mistake. */
export const PLATFORM_KEYS = [
  // Of the command line: a person's shell may have them when it starts the platform.
  'WHARF_URL',
  'WHARF_API_KEY',
  'WHARF_PROFILE',
  // Of agents that were configured with a key.
  'WHARF_AGENT_KEY',
  'WHARF_PUBLIC_URL',
  'WHARF_BASE_DOMAIN',
  'WHARF_REGION',
  'WHARF_REGION_URLS',
  'WHARF_WEB_CLIENT_ORIGINS',
  'WHARF_ISSUER',
  'WHARF_JWKS_URL',
  'WHARF_MASTER_KEY',
  'WHARF_DEDICATED_DATABASES',
  'WHARF_DEDICATED_POOLS_MAX',
  'WHARF_KMS_REGION',
  'WHARF_KMS_ENDPOINT',
  'WHARF_KMS_KEY',
  'WHARF_KMS_ACCESS_KEY_ID',
  'WHARF_KMS_SECRET_ACCESS_KEY',
  'WHARF_KMS_SESSION_TOKEN',
  'WHARF_VAULT_URL',
  'WHARF_VAULT_TOKEN',
  'WHARF_VAULT_TOKEN_FILE',
  'WHARF_VAULT_ALLOW_HTTP',
  'WHARF_VAULT_KUBERNETES_ROLE',
  'WHARF_VAULT_KUBERNETES_MOUNT',
  'WHARF_VAULT_KUBERNETES_TOKEN_FILE',
  'WHARF_VAULT_NAMESPACE',
  'WHARF_VAULT_MOUNT',
  'WHARF_VAULT_KEY',
  'WHARF_INTAKE_KEY',
  'WHARF_OPERATOR_KEY',
  'WHARF_DATA_DIR',
  'WHARF_RUNTIME_PORT',
  'WHARF_SPOOL_ENTRIES_MAX',
  'WHARF_KEPT_RESULT_SECONDS',
  'WHARF_KEPT_RESULT_BYTES_MAX',
  'WHARF_RUNTIME_SOCKETS',
  'WHARF_RUNTIME_SOCKETS_HOLDING',
  'WHARF_RUNTIME_ID',
  'WHARF_LISTEN_HOST',
  'WHARF_PORT',
  'WHARF_LEAVE_MS',
  'WHARF_SCHEMA_WAIT_SECONDS',
  'WHARF_LOG_LEVEL',
  'WHARF_METRICS_KEY',
  'WHARF_TRUST_PROXY',
  'WHARF_WORKER_DRIVER',
  'WHARF_WORKER_MEMORY_MB',
  'WHARF_WORKER_SCRATCH_MB',
  'WHARF_ALLOW_UNSANDBOXED',
  'WHARF_BUBBLEWRAP',
  'WHARF_BUBBLEWRAP_LIBRARIES',
  'WHARF_WORKER_IDLE_SECONDS',
  'WHARF_SERVER_IDLE_SECONDS',
  'WHARF_WARM_WORKERS',
  'WHARF_POD_NAMESPACE',
  'WHARF_POD_IMAGE',
  'WHARF_POD_RUNTIME_CLASS',
  'WHARF_POD_DIAL_HOST',
  'WHARF_POD_DIAL_PORT',
  'WHARF_POD_START_SECONDS',
  'WHARF_POD_SECONDS_MAX',
  'WHARF_CALL_TIMEOUT_MS',
  'WHARF_CALL_TIMEOUT_MAX_MS',
  'WHARF_HEARTBEAT_MS',
  'WHARF_OVERLOAD_DELAY_MS',
  'WHARF_REGION',
  'WHARF_SIGNUPS_PER_HOUR',
  'WHARF_MANAGEMENT_CALLS_PER_MINUTE',
  'WHARF_REFUSED_CREDENTIALS_PER_MINUTE',
  'WHARF_REGISTRATIONS_PER_HOUR',
  'WHARF_LOGINS_PER_QUARTER_HOUR',
  'WHARF_SMTP_URL',
  'WHARF_MAIL_FROM',
  'WHARF_OPERATOR_CONTACT',
  'WHARF_REGISTRY_URL',
  'WHARF_DRIFT_CHECK_SECONDS',
  'WHARF_BLOBS_URL',
  'WHARF_BLOBS_ACCESS_KEY_ID',
  'WHARF_BLOBS_SECRET_ACCESS_KEY',
  'WHARF_BLOBS_SESSION_TOKEN',
  'WHARF_SIGNING_KEY_DAYS',
  'WHARF_SIGNING_KEY_CHECK_MS',
] as const;

/** The keys that every service shares; spread into a service's own zod object. */
export const platformShape = {
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  /** The shared host, without a trailing slash; path-form tenant URLs start with it. */
  WHARF_PUBLIC_URL: z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/$/, '')),
  /** With it, `{tenant}.{base-domain}` are tenant hosts too. */
  WHARF_BASE_DOMAIN: z.string().min(3).optional(),
  /** The region that this service is of; without it, it serves tenants that have no home region. */
  WHARF_REGION: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/)
    .optional(),
  /** Where other regions are reached: `{region}={public URL}`, separated by commas. */
  WHARF_REGION_URLS: z
    .string()
    .default('')
    .transform((text) =>
      Object.fromEntries(text.split(',').flatMap((pair) => (pair === '' ? [] : [pair.trim().split(/=(.*)/s, 2)]))),
    )
    .pipe(z.record(z.string().regex(/^[a-z0-9-]{1,32}$/), z.url({ protocol: /^https?$/ }))),
  WHARF_LISTEN_HOST: z.string().default('127.0.0.1'),
  WHARF_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  WHARF_DATA_DIR: z.string().default('.wharf'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  /** Databases that tenants may have of their own, `{name}={URL}` with commas between, or a JSON object. */
  WHARF_DEDICATED_DATABASES: dedicatedDatabasesText(),
  /** So many of them a process has connections to at once, each a pool of its own. */
  WHARF_DEDICATED_POOLS_MAX: z.coerce.number().int().min(1).max(100).default(20),
  /** One Redis, one that sentinels watch, or a Redis Cluster. */
  REDIS_URL: z.string().superRefine(requireRedisUrl),
  /** Wraps tenants' data keys and signing keys, derives the services' database passwords; while it is replaced, a list. */
  WHARF_MASTER_KEY: masterKeysText(),
} as const;

function requireRedisUrl(url: string, context: z.RefinementCtx): void {
  try {
    parseRedisUrl(url);
  } catch (error) {
    if (!(error instanceof RedisAddressError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
}

const socketList = z
  .string()
  .min(1)
  .transform((sockets) => sockets.split(',').map((socket) => socket.trim()));

/** The keys of a service that calls worker-runtimes. */
export const runtimeCallerShape = {
  /** The secret that worker-runtimes and their callers share. */
  WHARF_INTAKE_KEY: secretText(32),
  /** Where the worker-runtimes listen, separated by commas: paths of unix sockets, or `tls://host:port`. */
  WHARF_RUNTIME_SOCKETS: socketList,
  /** Where others listen that are given nothing new, and go on with the sessions that they hold: the platform's other half. */
  WHARF_RUNTIME_SOCKETS_HOLDING: socketList.default([]),
} as const;

/** The keys of a service that verifies access tokens. */
export const tokenVerifierShape = {
  /** The authorization server's issuer; default `{public-url}/auth`. */
  WHARF_ISSUER: z.url({ protocol: /^https?$/ }).optional(),
  /** Where its keys are; default `{issuer}/jwks`. */
  WHARF_JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
} as const;

/** Who issues access tokens and where its keys are, with their defaults. */
export function tokenIssuerOf(config: {
  readonly WHARF_PUBLIC_URL: string;
  readonly WHARF_ISSUER?: string | undefined;
  readonly WHARF_JWKS_URL?: string | undefined;
}): { readonly issuer: string; readonly jwksUrl: string } {
  const issuer = config.WHARF_ISSUER ?? `${config.WHARF_PUBLIC_URL}/auth`;
  return { issuer, jwksUrl: config.WHARF_JWKS_URL ?? `${issuer}/jwks` };
}

/** The region of a service, and where the others are. */
export function regionOf(config: {
  readonly WHARF_REGION?: string | undefined;
  readonly WHARF_REGION_URLS: Readonly<Record<string, string>>;
}): { readonly region: string | undefined; readonly urls: Readonly<Record<string, string>> } {
  return { region: config.WHARF_REGION, urls: config.WHARF_REGION_URLS };
}
