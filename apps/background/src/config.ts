import { z } from 'zod';
import { parseConfig, PLATFORM_KEYS, platformShape, runtimeCallerShape, type Environment } from '#libs/config';

const schema = z.object({
  ...platformShape,
  ...runtimeCallerShape,
});

/** What the background service is told. */
export type BackgroundConfig = z.infer<typeof schema>;

/** Parses the service's keys. @throws ConfigError */
export function parseBackgroundConfig(environment: Environment): BackgroundConfig {
  return parseConfig(schema, environment, PLATFORM_KEYS);
}
