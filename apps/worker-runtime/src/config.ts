import path from 'node:path';
import { z } from 'zod';
import { ConfigError, parseConfig, PLATFORM_KEYS, secretText, type Environment } from '#libs/config';
import { parseRuntimeAddress } from '#libs/protocol';
import type { PodChoice } from './isolation/open-driver.js';

const wholeNumber = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

/** The environment keys of a worker-runtime. It knows no database and no queue. */
const configSchema = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  WHARF_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Where it listens: the path of a unix socket, or `tls://address:port`; callers list several, a runtime is given one. */
  WHARF_RUNTIME_SOCKETS: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[^,]+$/, 'a worker-runtime listens on exactly one socket path')
    .refine(isAddress, 'neither the path of a unix socket nor tls://address:port'),
  /** Where workers' folders are, where it listens on no socket beside which they could be. */
  WHARF_DATA_DIR: z.string().min(1).default('.wharf'),
  /** Shared with the callers; signs what they send. */
  WHARF_INTAKE_KEY: secretText(32),
  WHARF_RUNTIME_ID: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/)
    .default('runtime-1'),
  /** Without it: `sandbox` where it works, else `process` with a warning. */
  WHARF_WORKER_DRIVER: z.enum(['process', 'sandbox', 'pod']).optional(),
  /** Lets code of others run in plain processes. */
  WHARF_ALLOW_UNSANDBOXED: z.stringbool().default(false),
  /** Bubblewrap's program, and the folders of its own libraries, separated by colons. */
  WHARF_BUBBLEWRAP: z.string().min(1).optional(),
  WHARF_BUBBLEWRAP_LIBRARIES: z.string().default(''),
  /** The size of the folder in memory that a sandboxed worker may write to. */
  WHARF_WORKER_SCRATCH_MB: wholeNumber(1, 4_096).default(64),
  /** The registry that packages are installed from; an operator who names a private one allows builds to reach it. */
  WHARF_REGISTRY_URL: z.url({ protocol: /^https?$/ }).default('https://registry.npmjs.org'),
  WHARF_WORKER_MEMORY_MB: wholeNumber(64, 8_192).default(256),
  WHARF_WORKER_IDLE_SECONDS: wholeNumber(1, 86_400).default(300),
  /** How long the process of a bundle's server is kept that nobody calls; its worker may outlive it. */
  WHARF_SERVER_IDLE_SECONDS: wholeNumber(1, 86_400).default(60),
  /** Calls are refused, by fair shares, while everything waits longer than this for its turn in the runtime. */
  WHARF_OVERLOAD_DELAY_MS: wholeNumber(5, 60_000).default(100),
  /** Started workers that wait, unbound, for a tenant. */
  WHARF_WARM_WORKERS: wholeNumber(0, 64).default(2),
  /** Where and how pods are made, with the driver `pod`; the cluster is that of `KUBECONFIG`, or the one we run in. */
  WHARF_POD_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
    .default('wharf-workers'),
  WHARF_POD_IMAGE: z.string().min(1).max(512).optional(),
  WHARF_POD_RUNTIME_CLASS: z.string().min(1).max(253).optional(),
  /** The address at which pods reach this runtime, and the port that it listens on for them. */
  WHARF_POD_DIAL_HOST: z.union([z.ipv4(), z.ipv6()]).optional(),
  WHARF_POD_DIAL_PORT: wholeNumber(0, 65_535).default(7_443),
  /** How long a pod may take to call. */
  WHARF_POD_START_SECONDS: wholeNumber(5, 600).default(60),
  /** After this the cluster ends a pod, whatever happened to us. */
  WHARF_POD_SECONDS_MAX: wholeNumber(60, 604_800).default(86_400),
});

function isAddress(text: string): boolean {
  try {
    parseRuntimeAddress(text);
    return true;
  } catch {
    return false;
  }
}

/** The parsed configuration of a worker-runtime. */
export type RuntimeConfig = z.infer<typeof configSchema>;

/** The worker-runtime's configuration. @throws ConfigError */
export function readConfig(environment: Environment): RuntimeConfig {
  return parseConfig(configSchema, environment, PLATFORM_KEYS);
}

/** The folder that workers' own folders are made in. */
export function workersHome({ WHARF_RUNTIME_SOCKETS: place, WHARF_DATA_DIR: data }: RuntimeConfig): string {
  return parseRuntimeAddress(place).kind === 'socket' ? `${place}.workers` : path.resolve(data, 'workers');
}

/** How pods are to be made. @throws ConfigError naming each key that is missing for it */
export function podConfig(config: RuntimeConfig): PodChoice {
  const {
    WHARF_POD_IMAGE: image,
    WHARF_POD_RUNTIME_CLASS: runtimeClass,
    WHARF_POD_DIAL_HOST: dialHost,
    WHARF_POD_NAMESPACE: namespace,
  } = config;
  if (image === undefined || runtimeClass === undefined || dialHost === undefined) {
    const needed = ['WHARF_POD_IMAGE', 'WHARF_POD_RUNTIME_CLASS', 'WHARF_POD_DIAL_HOST'] as const;
    const missing = needed.filter((key) => config[key] === undefined);
    throw new ConfigError(missing.map((key) => `${key}: is not set; WHARF_WORKER_DRIVER=pod needs it`).join('\n'));
  }
  const secondsMax = config.WHARF_POD_SECONDS_MAX;
  const scratchMb = config.WHARF_WORKER_SCRATCH_MB;
  return {
    settings: { image, runtimeClass, dialHost, namespace, secondsMax, scratchMb },
    dialPort: config.WHARF_POD_DIAL_PORT,
    startMs: config.WHARF_POD_START_SECONDS * 1_000,
  };
}
