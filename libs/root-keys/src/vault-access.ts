import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ConfigError, type Secret } from '#libs/config';
import { ask } from './ask.js';

/** How a service shows Vault who it is. */
export type VaultAccess =
  | { readonly kind: 'token'; readonly token: Secret }
  /** The file that an agent keeps a token in. */
  | { readonly kind: 'file'; readonly file: string }
  /** The Kubernetes auth method, asked with the token of the service account. */
  | { readonly kind: 'kubernetes'; readonly role: string; readonly mount: string; readonly tokenFile: string };

/** Where Vault is. */
export interface VaultAddress {
  readonly url: string;
  readonly namespace: string | undefined;
}

const signedIn = z.object({ auth: z.object({ client_token: z.string().regex(/^[\x21-\x7e]+$/) }) });
const refused = z.object({ errors: z.array(z.string()) });

/**
 * The token to ask with. One of the Kubernetes auth method is made for this request and never renewed: a service asks
 * when it starts and then no more. @throws ConfigError that says what to do
 */
export async function vaultToken(access: VaultAccess, address: VaultAddress): Promise<string> {
  switch (access.kind) {
    case 'token':
      return access.token.reveal();
    case 'file':
      return textOf('WHARF_VAULT_TOKEN_FILE', access.file);
    case 'kubernetes':
      return signIn(access, address);
    default:
      return access satisfies never;
  }
}

/** A request to Vault. */
export function vaultRequest(
  { url, namespace }: VaultAddress,
  { path, token, body }: { readonly path: string; readonly token?: string; readonly body: unknown },
): Request {
  // Vault asks its clients to say that they are its clients, against requests that a browser was made to send.
  const headers = new Headers({ 'content-type': 'application/json', 'x-vault-request': 'true' });
  if (token !== undefined) headers.set('x-vault-token', token);
  if (namespace !== undefined) headers.set('x-vault-namespace', namespace);
  return new Request(new URL(path, url), { method: 'POST', headers, body: JSON.stringify(body) });
}

/** What Vault says of a request that it refuses. */
export function vaultRefusal(body: unknown): string {
  return refused.safeParse(body).data?.errors.join('; ').slice(0, 300) ?? '';
}

async function signIn(
  { role, mount, tokenFile }: VaultAccess & { kind: 'kubernetes' },
  address: VaultAddress,
): Promise<string> {
  const jwt = await textOf('WHARF_VAULT_KUBERNETES_TOKEN_FILE', tokenFile);
  const path = `/v1/auth/${mount}/login`;
  const { status, body } = await ask('Vault', async () => vaultRequest(address, { path, body: { role, jwt } }));
  const found = status === 200 ? signedIn.safeParse(body) : undefined;
  if (found?.success === true) return found.data.auth.client_token;
  const said = vaultRefusal(body);
  throw new ConfigError(
    `Vault did not let this service sign in as ${role} (${status}${said && `: ${said}`}). Bind the role to this service account and namespace, or correct WHARF_VAULT_KUBERNETES_ROLE, WHARF_VAULT_KUBERNETES_MOUNT (${mount}) and WHARF_VAULT_NAMESPACE.`,
  );
}

async function textOf(setting: string, file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new ConfigError(`${setting}, ${file}, cannot be read. Correct it.`, { cause: error });
  }
}
