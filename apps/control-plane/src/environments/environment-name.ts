import { z } from 'zod';

/** The environment that a server itself is. */
export const PRODUCTION = 'production';

/** The name of an environment. */
export const environmentName = z
  .string()
  .regex(/^[a-z]([a-z0-9-]{0,14}[a-z0-9])?$/, '1 to 16 lower-case letters, digits and inner hyphens, a letter first');

/** The name of an environment beside production; undefined for production itself. */
export function otherThanProduction(environment: string | undefined): string | undefined {
  return environment === PRODUCTION ? undefined : environment;
}
