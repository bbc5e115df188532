import { z } from 'zod';
import { awsShape, ConfigError, parseConfig, PLATFORM_KEYS, secretText, type Environment } from '#libs/config';
import { isLoopback } from '#libs/http';
import { KmsKeys } from './kms-keys.js';
import type { VaultAccess } from './vault-access.js';
import { VaultKeys } from './vault-keys.js';

/** What comes back from there is the master key, in plain. */
const safeOrigin = z
  .url({ protocol: /^https?$/ })
  .refine(isUnread, 'must be https: the master key comes back from there; http is for this machine alone');

const MOUNT = /^[\w.-]+(\/[\w.-]+)*$/;
const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

const schema = z.object({
  WHARF_KMS_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,63}$/, 'is no region, such as eu-central-1')
    .optional(),
  /** In place of Amazon's own. */
  WHARF_KMS_ENDPOINT: safeOrigin.optional(),
  /** Id, ARN or alias of the KMS key. */
  WHARF_KMS_KEY: z.string().min(1).max(2_048).optional(),
  WHARF_KMS_ACCESS_KEY_ID: z.string().min(1).max(200).optional(),
  WHARF_KMS_SECRET_ACCESS_KEY: secretText(8).optional(),
  WHARF_KMS_SESSION_TOKEN: secretText(8).optional(),
  ...awsShape,
  WHARF_VAULT_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** For a Vault whose traffic something else encrypts, such as a mesh. */
  WHARF_VAULT_ALLOW_HTTP: z.enum(['true', 'false']).default('false'),
  WHARF_VAULT_TOKEN: secretText(4).optional(),
  /** Read at each start, so that an agent may keep it new. */
  WHARF_VAULT_TOKEN_FILE: z.string().min(1).optional(),
  /** The role of Vault's Kubernetes auth method that this service signs in as, in place of a token. */
  WHARF_VAULT_KUBERNETES_ROLE: z.string().min(1).max(500).optional(),
  WHARF_VAULT_KUBERNETES_MOUNT: z.string().regex(MOUNT, 'is a path such as kubernetes').default('kubernetes'),
  WHARF_VAULT_KUBERNETES_TOKEN_FILE: z.string().min(1).default(SERVICE_ACCOUNT_TOKEN),
  WHARF_VAULT_NAMESPACE: z.string().min(1).max(500).optional(),
  WHARF_VAULT_MOUNT: z.string().regex(MOUNT, 'is a path such as transit').default('transit'),
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
    signing: {
      own: {
        prefix: 'WHARF_KMS',
        accessKeyId: settings.WHARF_KMS_ACCESS_KEY_ID,
        secretAccessKey: settings.WHARF_KMS_SECRET_ACCESS_KEY,
        sessionToken: settings.WHARF_KMS_SESSION_TOKEN,
      },
      environment: settings,
    },
  });
}

function vaultOf(settings: Settings): VaultKeys {
  const url = need('WHARF_VAULT_URL', settings.WHARF_VAULT_URL);
  if (settings.WHARF_VAULT_ALLOW_HTTP === 'false' && !isUnread(url))
    throw new ConfigError(
      'WHARF_VAULT_URL must be https: the master key comes back from there. Where something else encrypts the way to Vault, set WHARF_VAULT_ALLOW_HTTP=true.',
    );
  return new VaultKeys({
    url,
    access: vaultAccessOf(settings),
    namespace: settings.WHARF_VAULT_NAMESPACE,
    mount: settings.WHARF_VAULT_MOUNT,
    key: settings.WHARF_VAULT_KEY,
  });
}

/** How this service shows who it is: exactly one of the three ways. */
function vaultAccessOf(settings: Settings): VaultAccess {
  const {
    WHARF_VAULT_TOKEN: token,
    WHARF_VAULT_TOKEN_FILE: file,
    WHARF_VAULT_KUBERNETES_ROLE: role,
    WHARF_VAULT_KUBERNETES_MOUNT: mount,
    WHARF_VAULT_KUBERNETES_TOKEN_FILE: tokenFile,
  } = settings;
  if (role !== undefined) return { kind: 'kubernetes', role, mount, tokenFile };
  if (file !== undefined) return { kind: 'file', file };
  if (token !== undefined) return { kind: 'token', token };
  throw new ConfigError(
    'Vault wants to know who asks: set WHARF_VAULT_KUBERNETES_ROLE, WHARF_VAULT_TOKEN_FILE or WHARF_VAULT_TOKEN; the master key cannot be opened without.',
  );
}

/** Whether nobody on the way reads what passes. */
function isUnread(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || isLoopback(hostname);
}

function need<Value>(name: string, value: Value | undefined): Value {
  if (value === undefined) throw new ConfigError(`${name} is not set; the master key cannot be opened without it.`);
  return value;
}
