import { z } from 'zod';
import { ConfigError, parseConfig, PLATFORM_KEYS, secretText, type Environment } from '#libs/config';
import { KmsKeys } from './kms-keys.js';
import { VaultKeys } from './vault-keys.js';

const origin = z.url({ protocol: /^https?$/ });

const schema = z.object({
  WHARF_KMS_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/, 'is no region, such as eu-central-1')
    .optional(),
  /** In place of Amazon's own. */
  WHARF_KMS_ENDPOINT: origin.optional(),
  /** Id, ARN or alias of the KMS key. */
  WHARF_KMS_KEY: z.string().min(1).max(2_048).optional(),
  WHARF_KMS_ACCESS_KEY_ID: z.string().min(1).max(200).optional(),
  WHARF_KMS_SECRET_ACCESS_KEY: secretText(8).optional(),
  WHARF_KMS_SESSION_TOKEN: secretText(8).optional(),
  WHARF_VAULT_URL: origin.optional(),
  WHARF_VAULT_TOKEN: secretText(4).optional(),
  /** Read at each start, so that an agent may keep it new. */
  WHARF_VAULT_TOKEN_FILE: z.string().min(1).optional(),
  WHARF_VAULT_NAMESPACE: z.string().min(1).max(500).optional(),
  WHARF_VAULT_MOUNT: z
    .string()
    .regex(/^[\w.-]+(\/[\w.-]+)*$/, 'is a path such as transit')
    .default('transit'),
  WHARF_VAULT_KEY: z.string().min(1).max(500).default('wharf'),
});

type Settings = z.infer<typeof schema>;

/** Who keeps master keys, as the environment says; each is made only where it is asked for. @throws ConfigError */
export function parseKeepers(environment: Environment): {
  readonly kms: () => KmsKeys;
  readonly vault: () => VaultKeys;
} {
  const settings = parseConfig(schema, environment, PLATFORM_KEYS);
  return { kms: () => kmsOf(settings), vault: () => vaultOf(settings) };
}

function kmsOf(settings: Settings): KmsKeys {
  return new KmsKeys({
    region: need('WHARF_KMS_REGION', settings.WHARF_KMS_REGION),
    endpoint: settings.WHARF_KMS_ENDPOINT,
    keyId: settings.WHARF_KMS_KEY,
    accessKeyId: need('WHARF_KMS_ACCESS_KEY_ID', settings.WHARF_KMS_ACCESS_KEY_ID),
    secretAccessKey: need('WHARF_KMS_SECRET_ACCESS_KEY', settings.WHARF_KMS_SECRET_ACCESS_KEY),
    sessionToken: settings.WHARF_KMS_SESSION_TOKEN,
  });
}

function vaultOf(settings: Settings): VaultKeys {
  const file = settings.WHARF_VAULT_TOKEN_FILE;
  return new VaultKeys({
    url: need('WHARF_VAULT_URL', settings.WHARF_VAULT_URL),
    token: file === undefined ? need('WHARF_VAULT_TOKEN', settings.WHARF_VAULT_TOKEN) : { file },
    namespace: settings.WHARF_VAULT_NAMESPACE,
    mount: settings.WHARF_VAULT_MOUNT,
    key: settings.WHARF_VAULT_KEY,
  });
}

function need<Value>(name: string, value: Value | undefined): Value {
  if (value === undefined) throw new ConfigError(`${name} is not set; the master key cannot be opened without it.`);
  return value;
}
