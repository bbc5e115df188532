import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { signatureFault } from '#libs/testing';

/** What a request to a keeper of keys is answered. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** A keeper of keys on a port of its own; `failNext` says what the next requests are answered instead. */
export interface TestKeeper {
  readonly settings: Readonly<Record<string, string>>;
  readonly requests: Array<{
    readonly path: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: unknown;
  }>;
  failNext(...replies: readonly (Reply | 'cut')[]): void;
  stop(): Promise<void>;
}

const key = randomBytes(32);

function seal(plain: string, context: unknown): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(JSON.stringify(context ?? null)));
  const body = Buffer.concat([cipher.update(plain, 'base64'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
}

function open(sealed: string, context: unknown): string | undefined {
  const bytes = Buffer.from(sealed, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
      .setAAD(Buffer.from(JSON.stringify(context ?? null)))
      .setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('base64');
  } catch {
    return undefined;
  }
}

async function startKeeper(
  answer: (request: IncomingMessage, body: string) => Reply,
): Promise<Omit<TestKeeper, 'settings'> & { readonly url: string }> {
  const requests: TestKeeper['requests'] = [];
  const planned: Array<Reply | 'cut'> = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      requests.push({ path: request.url ?? '', headers: request.headers, body: JSON.parse(body) });
      const next = planned.shift();
      if (next === 'cut') return void request.socket.destroy();
      const { status, body: content } = next ?? answer(request, body);
      return void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // listening on TCP
    requests,
    failNext: (...replies) => void planned.push(...replies),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Behaves as AWS KMS does: checks the signature, and binds what it wraps to the encryption context. */
export async function startKms(): Promise<TestKeeper> {
  const party = {
    accessKeyId: 'AKTEST',
    secretAccessKey: 'a secret access key',
    region: 'eu-central-1',
    service: 'kms',
  };
  const keeper = await startKeeper((request, body) => {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const signed = { method: 'POST', target: request.url ?? '', headers, body: Buffer.from(body) };
    const fault = signatureFault(signed, party, Date.now());
    if (fault !== undefined) return { status: 400, body: { __type: 'InvalidSignatureException', message: fault } };
    const { Plaintext, CiphertextBlob, EncryptionContext, KeyId } = JSON.parse(body);
    if (headers['x-amz-target'] === 'TrentService.Encrypt')
      return { status: 200, body: { CiphertextBlob: seal(Plaintext, EncryptionContext), KeyId } };
    const plain = open(CiphertextBlob, EncryptionContext);
    if (plain === undefined) return { status: 400, body: { __type: 'InvalidCiphertextException' } };
    return { status: 200, body: { Plaintext: plain, KeyId: 'arn:aws:kms:eu-central-1:1:key/k' } };
  });
  return {
    ...keeper,
    settings: {
      WHARF_KMS_ENDPOINT: keeper.url,
      WHARF_KMS_REGION: party.region,
      WHARF_KMS_KEY: 'alias/wharf',
      WHARF_KMS_ACCESS_KEY_ID: party.accessKeyId,
      WHARF_KMS_SECRET_ACCESS_KEY: party.secretAccessKey,
    },
  };
}

/** Behaves as Vault's transit engine does, in a namespace: it wants its token first. */
export async function startVault(): Promise<TestKeeper> {
  const keeper = await startKeeper((request, body) => {
    const { headers, url = '' } = request;
    if (url === '/v1/auth/kubernetes/login' && headers['x-vault-namespace'] === 'platform') {
      const { role, jwt } = JSON.parse(body);
      if (role !== 'wharf-platform' || jwt !== 'service-account-token')
        return { status: 400, body: { errors: [`invalid role name "${role}"`] } };
      return { status: 200, body: { auth: { client_token: 'hvs.test', lease_duration: 600 } } };
    }
    if (headers['x-vault-token'] !== 'hvs.test') return { status: 403, body: { errors: ['permission denied'] } };
    if (headers['x-vault-namespace'] !== 'platform') return { status: 404, body: { errors: [] } };
    const { plaintext, ciphertext } = JSON.parse(body);
    if (url === '/v1/transit/encrypt/wharf')
      return { status: 200, body: { data: { ciphertext: `vault:v1:${seal(plaintext, null)}` } } };
    if (url !== '/v1/transit/decrypt/wharf') return { status: 404, body: { errors: [] } };
    const plain = open(String(ciphertext).split(':')[2] ?? '', null);
    if (plain === undefined) return { status: 400, body: { errors: ['cipher: message authentication failed'] } };
    return { status: 200, body: { data: { plaintext: plain } } };
  });
  return {
    ...keeper,
    settings: { WHARF_VAULT_URL: keeper.url, WHARF_VAULT_TOKEN: 'hvs.test', WHARF_VAULT_NAMESPACE: 'platform' },
  };
}
