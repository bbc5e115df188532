import path from 'node:path';
import { z } from 'zod';
import {
  masterKeysText,
  parseConfig,
  PLATFORM_KEYS,
  platformShape,
  Secret,
  secretText,
  type Environment,
} from '#libs/config';

const { DATABASE_URL, WHARF_DEDICATED_DATABASES, REDIS_URL, WHARF_DATA_DIR, WHARF_LISTEN_HOST, WHARF_LOG_LEVEL } =
  platformShape;

const schema = z.object({
  /** Without it, a private PostgreSQL runs in the data folder. */
  DATABASE_URL: DATABASE_URL.optional(),
  WHARF_DEDICATED_DATABASES,
  /** Without it, a private Redis runs in the data folder. */
  REDIS_URL: REDIS_URL.optional(),
  WHARF_DATA_DIR,
  WHARF_LISTEN_HOST,
  WHARF_LOG_LEVEL,
  WHARF_PORT: z.coerce.number().int().min(1).max(65_535).default(4000),
  /** Where the worker-runtime, a process beside ours, shows its state and metrics; 0: any port that is free. */
  WHARF_RUNTIME_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  /** Default `http://localhost:{port}`. */
  WHARF_PUBLIC_URL: platformShape.WHARF_PUBLIC_URL.optional(),
  WHARF_BASE_DOMAIN: platformShape.WHARF_BASE_DOMAIN,
  /** Its host is served too. */
  WHARF_ISSUER: z.url().optional(),
  /** Without them, keys are made in the data folder. */
  WHARF_MASTER_KEY: masterKeysText().optional(),
  WHARF_INTAKE_KEY: secretText(32).optional(),
  /** `npm run migrate` makes it an operator's. */
  WHARF_OPERATOR_KEY: z
    .string()
    .regex(/^who_[A-Za-z0-9_-]{43}$/, 'needs the form who_ and 43 characters of base64url')
    .transform((key) => new Secret(key))
    .optional(),
});

/** What the launcher is told; every key has a default. */
export interface LocalConfig extends Omit<z.infer<typeof schema>, 'WHARF_PUBLIC_URL' | 'WHARF_DATA_DIR'> {
  readonly publicUrl: string;
  /** Absolute. */
  readonly dataDir: string;
}

/** Parses the launcher's keys. @throws ConfigError */
export function parseLocalConfig(environment: Environment): LocalConfig {
  const { WHARF_PUBLIC_URL, WHARF_DATA_DIR: dataDir, ...config } = parseConfig(schema, environment, PLATFORM_KEYS);
  return {
    ...config,
    publicUrl: WHARF_PUBLIC_URL ?? `http://localhost:${config.WHARF_PORT}`,
    dataDir: path.resolve(dataDir),
  };
}
