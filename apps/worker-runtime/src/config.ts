import { z } from 'zod';
import { parseConfig, PLATFORM_KEYS, secretText, type Environment } from '#libs/config';

const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** The environment keys of a worker-runtime. It knows no database and no queue. */
const configSchema = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  WHARF_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Path of the unix socket it listens on; callers list several, a runtime is given one. */
  WHARF_RUNTIME_SOCKETS: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[^,]+$/, 'a worker-runtime listens on exactly one socket path'),
  /** Shared with the callers; signs what they send. */
  WHARF_INTAKE_KEY: secretText(32),
  WHARF_RUNTIME_ID: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .default('runtime-1'),
  /** Without it: `sandbox` where it works, else `process` with a warning. */
  WHARF_WORKER_DRIVER: z.enum(['process', 'sandbox']).optional(),
  /** Lets code of others run in plain processes. */
  WHARF_ALLOW_UNSANDBOXED: z.stringbool().default(false),
  /** Bubblewrap's program, and the folders of its own libraries, separated by colons. */
  WHARF_BUBBLEWRAP: z.string().min(1).optional(),
  WHARF_BUBBLEWRAP_LIBRARIES: z.string().default(''),
  /** The size of the folder in memory that a sandboxed worker may write to. */
  WHARF_WORKER_SCRATCH_MB: wholeNumber(1, 4_096).default(64),
  WHARF_WORKER_MEMORY_MB: wholeNumber(64, 8_192).default(256),
  WHARF_WORKER_IDLE_SECONDS: wholeNumber(1, 86_400).default(300),
  /** Started workers that wait, unbound, for a tenant. */
  WHARF_WARM_WORKERS: wholeNumber(0, 64).default(2),
});

/** The parsed configuration of a worker-runtime. */
export type RuntimeConfig = z.infer<typeof configSchema>;

/** The worker-runtime's configuration. @throws ConfigError */
export function readConfig(environment: Environment): RuntimeConfig {
  return parseConfig(configSchema, environment, PLATFORM_KEYS);
}
