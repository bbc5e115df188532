import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startAwsEndpoints } from '#libs/testing';
import { startKms, startVault, type Reply, type TestKeeper } from './keepers.fixture.js';
import { withMasterKeys, wrapMasterKey } from './master-keys.js';

const PLAIN = Buffer.alloc(32, 5).toString('base64');
const OLD = Buffer.alloc(32, 6).toString('base64');
let kms: TestKeeper;
let vault: TestKeeper;
let folder: string;

beforeAll(async () => {
  [kms, vault] = await Promise.all([startKms(), startVault()]);
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-keys-'));
});
afterAll(async () => {
  await Promise.all([kms?.stop(), vault?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function opened(text: string, settings: Readonly<Record<string, string>> = {}): Promise<string | undefined> {
  return (await withMasterKeys({ ...settings, WHARF_MASTER_KEY: text }))['WHARF_MASTER_KEY'];
}

test('KMS gives back the key that it wrapped, by a request that it finds signed', async () => {
  const text = await wrapMasterKey('aws-kms', PLAIN, kms.settings);
  expect(text).toMatch(/^aws-kms:[A-Za-z0-9+/]+=*$/);
  expect(await opened(`${text},${OLD}`, kms.settings)).toBe(`${PLAIN},${OLD}`);
  expect(kms.requests.at(-1)?.body).toMatchObject({ EncryptionContext: { wharf: 'master-key' }, KeyId: 'alias/wharf' });
});

test('Vault gives back the key that it wrapped, to its token and namespace', async () => {
  const text = await wrapMasterKey('vault', PLAIN, vault.settings);
  expect(text).toMatch(/^vault:v1:/);
  expect(await opened(text, vault.settings)).toBe(PLAIN);
  const file = path.join(folder, 'token');
  writeFileSync(file, 'hvs.test\n');
  const { WHARF_VAULT_TOKEN: _token, ...others } = vault.settings;
  expect(await opened(text, { ...others, WHARF_VAULT_TOKEN_FILE: file })).toBe(PLAIN);
});

test('KMS is asked by the role of a service account, and Vault by the service account itself', async () => {
  const {
    WHARF_KMS_ACCESS_KEY_ID: accessKeyId = '',
    WHARF_KMS_SECRET_ACCESS_KEY: secretAccessKey = '',
    ...settings
  } = kms.settings;
  const aws = await startAwsEndpoints({ accessKeyId, secretAccessKey });
  const file = path.join(folder, 'service-account');
  writeFileSync(file, 'service-account-token\n');
  const role = {
    ...settings,
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/wharf',
    AWS_WEB_IDENTITY_TOKEN_FILE: file,
    AWS_ENDPOINT_URL_STS: aws.url,
  };
  expect(await opened(await wrapMasterKey('aws-kms', PLAIN, role), role)).toBe(PLAIN);
  await aws.stop();
  const { WHARF_VAULT_TOKEN: _token, ...others } = vault.settings;
  const bound = {
    ...others,
    WHARF_VAULT_KUBERNETES_ROLE: 'wharf-platform',
    WHARF_VAULT_KUBERNETES_TOKEN_FILE: file,
  };
  expect(await opened(await wrapMasterKey('vault', PLAIN, bound), bound)).toBe(PLAIN);
  const other = { ...bound, WHARF_VAULT_KUBERNETES_ROLE: 'other' };
  await expect(opened('vault:v1:AAAA', other)).rejects.toThrow(/sign in as other \(400.*Bind the role/);
});

test.each<[string, Record<string, string>, RegExp]>([
  [
    'vault:v1:AAAA',
    { WHARF_VAULT_URL: 'http://vault.internal:8200' },
    /WHARF_VAULT_URL must be https.*ALLOW_HTTP=true/,
  ],
  ['aws-kms:AAAA', { WHARF_KMS_ENDPOINT: 'http://10.0.0.1' }, /WHARF_KMS_ENDPOINT: must be https/],
  ['vault:v1:AAAA', { WHARF_VAULT_URL: 'https://127.0.0.1:9' }, /Vault wants to know who asks/],
])('%s is not asked for where %j', async (text, settings, said) => {
  await expect(opened(text, settings)).rejects.toThrow(said);
});

test('a file holds a key, a list, or what a keeper has wrapped', async () => {
  const file = path.join(folder, 'master.key');
  writeFileSync(file, `${await wrapMasterKey('vault', PLAIN, vault.settings)},${OLD}\n`);
  expect(await opened(`file:${file}`, vault.settings)).toBe(`${PLAIN},${OLD}`);
  await expect(opened(`file:${file}-gone`)).rejects.toThrow(/cannot be read.*Correct WHARF_MASTER_KEY/);
  writeFileSync(file, `file:${file}`);
  await expect(opened(`file:${file}`)).rejects.toThrow(/names another file/);
});

test('what only needs another attempt is asked again', async () => {
  const text = await wrapMasterKey('aws-kms', PLAIN, kms.settings);
  kms.failNext({ status: 400, body: { __type: 'ThrottlingException' } }, { status: 500, body: {} }, 'cut');
  expect(await opened(text, kms.settings)).toBe(PLAIN);
});

test.each<[string, Record<string, string>, Reply | undefined, RegExp]>([
  ['a wrong secret', { WHARF_KMS_SECRET_ACCESS_KEY: 'wrong secret' }, undefined, /InvalidSignature.*SECRET_ACCESS_KEY/],
  ['no access', {}, { status: 400, body: { __type: 'AccessDeniedException' } }, /Allow these credentials kms:Decrypt/],
  ['no settings', { WHARF_KMS_REGION: '' }, undefined, /WHARF_KMS_REGION is not set/],
])('KMS with %s says what to do', async (_what, settings, reply, message) => {
  const text = await wrapMasterKey('aws-kms', PLAIN, kms.settings);
  if (reply !== undefined) kms.failNext(reply);
  await expect(opened(text, { ...kms.settings, ...settings })).rejects.toThrow(message);
});

test('KMS refuses what it has not wrapped, and what is no ciphertext is not sent', async () => {
  await expect(opened(`aws-kms:${PLAIN}`, kms.settings)).rejects.toThrow(/InvalidCiphertext.*take it whole/);
  const asked = kms.requests.length;
  await expect(opened('aws-kms:???', kms.settings)).rejects.toThrow(/is not base64/);
  expect(kms.requests).toHaveLength(asked);
});

const sealed = { status: 503, body: { errors: ['Vault is sealed'] } };

test.each<[string, Record<string, string>, readonly Reply[], RegExp]>([
  ['another token', { WHARF_VAULT_TOKEN: 'hvs.other' }, [], /403: permission denied.*policy with `update`/],
  ['another key', { WHARF_VAULT_KEY: 'other' }, [], /404.*WHARF_VAULT_KEY/],
  ['its seal on', {}, [sealed, sealed, sealed, sealed], /Vault is sealed.*unseal it/],
])('Vault with %s says what to do', async (_what, settings, replies, message) => {
  const text = await wrapMasterKey('vault', PLAIN, vault.settings);
  vault.failNext(...replies);
  await expect(opened(text, { ...vault.settings, ...settings })).rejects.toThrow(message);
});

test('Vault refuses what it has not wrapped, and one that is not there is named', async () => {
  await expect(opened('vault:v1:AAAA', vault.settings)).rejects.toThrow(/400.*WHARF_VAULT_KEY or WHARF_MASTER_KEY/);
  await expect(opened('vault:v1', vault.settings)).rejects.toThrow(/is not what Vault gives/);
  const away = { ...vault.settings, WHARF_VAULT_URL: 'http://127.0.0.1:9' };
  await expect(opened('vault:v1:AAAA', away)).rejects.toThrow(/Vault does not answer .*Correct its address/);
});
