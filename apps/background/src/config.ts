import { z } from 'zod';
import {
  objectStoreShape,
  parseConfig,
  PLATFORM_KEYS,
  platformShape,
  runtimeCallerShape,
  Secret,
  type Environment,
} from '#libs/config';

const schema = z.object({
  ...platformShape,
  ...runtimeCallerShape,
  ...objectStoreShape,
  /** The SMTP server that mails go through, `smtp://user:password@host:port`; without it they are files in the data folder. */
  WHARF_SMTP_URL: z
    .url({ protocol: /^smtps?$/ })
    .transform((url) => new Secret(url))
    .optional(),
  /** Whom mails come from; default `Wharf <no-reply@{host of the public URL}>`. */
  WHARF_MAIL_FROM: z
    .string()
    .regex(/^[^\r\n]{0,200}@[^\r\n@]{1,200}$/, 'needs an e-mail address, or a name and <an e-mail address>')
    .optional(),
  /** The npm registry that is asked for known vulnerabilities of bundles' packages; without it they are not looked for. */
  WHARF_REGISTRY_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** How often, in seconds, each server's upstream MCP servers are held against what its live release approved. */
  WHARF_DRIFT_CHECK_SECONDS: z.coerce.number().int().min(60).max(86_400).default(3_600),
});

/** What the background service is told. */
export type BackgroundConfig = z.infer<typeof schema>;

/** Parses the service's keys. @throws ConfigError */
export function parseBackgroundConfig(environment: Environment): BackgroundConfig {
  return parseConfig(schema, environment, PLATFORM_KEYS);
}
