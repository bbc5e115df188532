import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { isoCBOR } from '@simplewebauthn/server/helpers';
import { Database, newId } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Secret, TOTP } from 'otpauth';
import { Client } from 'pg';
import { AccountAudit } from '../accounts/account-audit.js';
import { AuthenticatorApps } from './authenticator-apps.js';
import type { Noting } from './noting.js';
import { PasskeyChallenges } from './passkey-challenges.js';
import { Passkeys } from './passkeys.js';
import { RecoveryCodes } from './recovery-codes.js';

const ISSUER = new URL('https://auth.example.com');
let store: TestDatabase;
let database: Database;
let owner: Client;
let account: { id: string; email: string; emailVerified: boolean; federated: boolean };

beforeAll(async () => {
  store = await testDatabase();
  database = await Database.connect({ ...store, role: 'wharf_auth' });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
});
beforeEach(async () => {
  const id = newId();
  account = { id, email: `${id}@example.com`, emailVerified: true, federated: false };
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, $2, 'x')`, [id, account.email]);
});
afterAll(async () => {
  await Promise.all([database?.close(), owner?.end()]);
  await store?.drop();
});

const unnoted: Noting = () => Promise.reject(new Error('it could not be noted'));
const rowsOf = async (table: string) =>
  (await owner.query(`select 1 from ${table} where account_id = $1`, [account.id])).rowCount;
/** Keeps an event as changes to an account do, in the transaction of the change. */
const noted: Noting = async (tx) => {
  const audit = new AccountAudit(database, () => undefined);
  await audit.keep(tx, account.id, '192.0.2.1', { event: 'recovery_codes.renewed', outcome: 'ok' });
};

/** An authenticator's answer to a page that asked for a passkey (WebAuthn Level 3 §5.1.3), without attestation. */
function passkeyFor(challenge: string): { readonly id: string; readonly answer: string } {
  const { x, y } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
  const [id, key] = [
    randomBytes(16),
    new Map<number, number | Uint8Array>([
      [1, 2],
      [3, -7],
      [-1, 1],
    ]),
  ];
  for (const [at, part] of [
    [-2, x],
    [-3, y],
  ] as const)
    key.set(at, Uint8Array.from(Buffer.from(part ?? '', 'base64url')));
  const authData = Buffer.concat([
    createHash('sha256').update(ISSUER.hostname).digest(),
    Buffer.from([0x45, 0, 0, 0, 0]), // the person is there and verified, a key is attached; a counter of nothing
    Buffer.alloc(16),
    Buffer.from([0, id.length]),
    id,
    isoCBOR.encode(key),
  ]);
  const attestation = new Map<string, unknown>([
    ['fmt', 'none'],
    ['attStmt', new Map()],
    ['authData', Uint8Array.from(authData)],
  ]);
  const clientData = { type: 'webauthn.create', challenge, origin: ISSUER.origin, crossOrigin: false };
  const named = id.toString('base64url');
  const answer = {
    id: named,
    rawId: named,
    type: 'public-key',
    clientExtensionResults: {},
    response: {
      clientDataJSON: Buffer.from(JSON.stringify(clientData)).toString('base64url'),
      attestationObject: Buffer.from(isoCBOR.encode(attestation as never)).toString('base64url'), // as it is encoded
      transports: ['internal'],
    },
  };
  return { id: named, answer: JSON.stringify(answer) };
}

test('a change that cannot be noted is not made', async () => {
  const apps = new AuthenticatorApps(database, store.masterKey);
  await apps.begin(account);
  await expect(apps.remove(account.id, unnoted)).rejects.toThrow('it could not be noted');
  await expect(new RecoveryCodes(database, store.masterKey).renew(account.id, unnoted)).rejects.toThrow();
  expect([await rowsOf('account_totp'), await rowsOf('recovery_codes')]).toEqual([1, 0]);
});

test('an app is confirmed with its note or not at all, and its code is good once more where it was not', async () => {
  const apps = new AuthenticatorApps(database, store.masterKey);
  const begun = await apps.begin(account);
  const code = new TOTP({ secret: Secret.fromBase32(begun?.secret ?? '') }).generate();
  await expect(apps.confirm(account, code, unnoted)).rejects.toThrow('it could not be noted');
  expect([await apps.isEnrolled(account.id), await rowsOf('account_events')]).toEqual([false, 0]);
  expect(await apps.confirm(account, code, noted)).toBe(true);
  expect([await apps.isEnrolled(account.id), await rowsOf('account_events')]).toEqual([true, 1]);
  expect(await apps.confirm(account, code, noted)).toBe(false);
  expect(await rowsOf('account_events')).toBe(1);
});

test('a passkey comes and goes with its note or not at all; what is refused is not noted', async () => {
  const passkeys = new Passkeys(database, new PasskeyChallenges(database, store.masterKey), ISSUER);
  const asked = async () => passkeyFor(JSON.parse((await passkeys.registration(account, 'here')) ?? '{}').challenge);
  const register = ({ answer }: { answer: string }, note: Noting, bound = 'here') =>
    passkeys.register(account, 'Laptop', answer, bound, note);
  await expect(register(await asked(), unnoted)).rejects.toThrow('it could not be noted');
  expect([await rowsOf('passkeys'), await rowsOf('account_events')]).toEqual([0, 0]);
  const kept = await asked();
  expect([await register(kept, noted, 'elsewhere'), await rowsOf('account_events')]).toEqual([false, 0]);
  expect([await register(kept, noted), await rowsOf('account_events')]).toEqual([true, 1]);
  await expect(passkeys.remove(account.id, kept.id, unnoted)).rejects.toThrow('it could not be noted');
  expect([await passkeys.remove(account.id, 'of-another', noted), await rowsOf('passkeys')]).toEqual([false, 1]);
  expect([await passkeys.remove(newId(), kept.id, noted), await rowsOf('account_events')]).toEqual([false, 1]);
  expect([await passkeys.remove(account.id, kept.id, noted), await rowsOf('account_events')]).toEqual([true, 2]);
  expect(await rowsOf('passkeys')).toBe(0);
});
