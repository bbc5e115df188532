import { z } from 'zod';
import { ConfigError } from '#libs/config';
import { ask, type Answer } from './ask.js';
import type { WrappingKeeper } from './key-keeper.js';
import { vaultToken, type VaultAccess, vaultRefusal, vaultRequest } from './vault-access.js';

/** How the transit engine of HashiCorp Vault, or OpenBao, is reached. */
export interface VaultOptions {
  readonly url: string;
  readonly access: VaultAccess;
  readonly namespace: string | undefined;
  /** Where the engine is mounted. */
  readonly mount: string;
  /** The name of its key. */
  readonly key: string;
}

const decrypted = z.object({ data: z.object({ plaintext: z.base64() }) });
const encrypted = z.object({ data: z.object({ ciphertext: z.string().startsWith('vault:v') }) });
const WRAPPED = /^vault:v[1-9]\d*:[A-Za-z0-9+/]+=*$/;

/** Master keys that Vault's transit engine has wrapped: `vault:v1:…`, as it gives them. */
export class VaultKeys implements WrappingKeeper {
  readonly scheme = 'vault:';

  constructor(private readonly options: VaultOptions) {}

  async open(text: string): Promise<string> {
    if (!WRAPPED.test(text))
      throw new ConfigError(
        'A key in WHARF_MASTER_KEY begins with `vault:` and is not what Vault gives (`vault:v1:…`): name it as `npm run keys -- wrap` printed it.',
      );
    const answer = await this.#ask('decrypt', { ciphertext: text });
    return Buffer.from(this.#parsed(answer, decrypted).data.plaintext, 'base64').toString();
  }

  async wrap(masterKey: string): Promise<string> {
    const answer = await this.#ask('encrypt', { plaintext: Buffer.from(masterKey).toString('base64') });
    return this.#parsed(answer, encrypted).data.ciphertext;
  }

  async #ask(operation: 'decrypt' | 'encrypt', body: unknown): Promise<Answer> {
    const { mount, key, access } = this.options;
    const token = await vaultToken(access, this.options);
    const path = `/v1/${mount}/${operation}/${encodeURIComponent(key)}`;
    return ask('Vault', async () => vaultRequest(this.options, { path, token, body }));
  }

  #parsed<Body>({ status, body }: Answer, schema: z.ZodType<Body>): Body {
    const found = status === 200 ? schema.safeParse(body) : undefined;
    if (found?.success === true) return found.data;
    const said = vaultRefusal(body);
    throw new ConfigError(
      `Vault did not open or wrap the master key (${status}${said && `: ${said}`}). ${this.#advice(status)}`,
    );
  }

  #advice(status: number): string {
    const { mount, key } = this.options;
    if (status === 400)
      return `It was wrapped with another key than ${mount}/${key}, or is cut off: correct WHARF_VAULT_KEY or WHARF_MASTER_KEY.`;
    if (status === 403)
      return `Give the token, or the role, a policy with \`update\` on ${mount}/decrypt/${key}, and see that it has not expired.`;
    if (status === 404) return 'Correct WHARF_VAULT_MOUNT, WHARF_VAULT_KEY and WHARF_VAULT_NAMESPACE.';
    if (status === 503) return 'It is sealed, or in maintenance: unseal it, and start again.';
    return 'See its log, and try again.';
  }
}
