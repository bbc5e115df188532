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
});

/** What the background service is told. */
export type BackgroundConfig = z.infer<typeof schema>;

/** Parses the service's keys. @throws ConfigError */
export function parseBackgroundConfig(environment: Environment): BackgroundConfig {
  return parseConfig(schema, environment, PLATFORM_KEYS);
}
