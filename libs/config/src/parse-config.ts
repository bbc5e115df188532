import { z } from 'zod';
import { Secret } from './secret.js';

/** The environment as the process received it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. Nothing else reads `process.env`. */
export function processEnvironment(): Environment {
  return process.env;
}

/** Thrown when the configuration cannot be used; the message lists every key to correct. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A secret text of at least `minLength` characters. */
export function secretText(minLength: number): z.ZodType<Secret, string> {
  return z
    .string()
    .min(minLength)
    .transform((value) => new Secret(value));
}

function problemOf(issue: z.core.$ZodIssue): string {
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return `${issue.path.join('.')}: ${missing ? 'is not set; this service needs it' : issue.message}`;
}

/**
 * Parses the keys of one service out of the environment.
 *
 * Keys are the schema's property names (`DATABASE_URL`, `WHARF_…`). A `WHARF_` key that no service of the
 * platform knows is an error, because a misspelled limit that is silently ignored is a limit that does not exist.
 *
 * @throws ConfigError naming each key and what it should be.
 */
export function parseConfig<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  environment: Environment,
  alsoKnown: readonly string[] = [],
): z.infer<z.ZodObject<Shape>> {
  const known = new Set([...Object.keys(schema.shape), ...alsoKnown]);
  const unknown = Object.keys(environment).filter((key) => key.startsWith('WHARF_') && !known.has(key));
  const picked = Object.fromEntries(
    Object.keys(schema.shape)
      .filter((key) => environment[key] !== undefined && environment[key] !== '')
      .map((key) => [key, environment[key]]),
  );
  const parsed = schema.safeParse(picked);
  const problems = [
    ...unknown.map((key) => `${key}: no service knows this key; check its spelling or remove it`),
    ...(parsed.success ? [] : parsed.error.issues.map(problemOf)),
  ];
  if (problems.length > 0 || !parsed.success) {
    throw new ConfigError(`The configuration cannot be used:\n  ${problems.join('\n  ')}`);
  }
  return parsed.data;
}
