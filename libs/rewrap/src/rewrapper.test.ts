import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MasterKeys, Secret } from '#libs/config';
import { Database, listenForChanges, newId } from '#libs/database';
import { claimMails, queueMail } from '#libs/mail';
import {
  acceptMasterKeys,
  deriveLasting,
  masterKeyId,
  openWithMaster,
  PersonKeys,
  recordMasterKeys,
  sealWithMaster,
  shredTenant,
  TenantVault,
} from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { testDatabase, until, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { countRootKeyUses, rewrapBatch } from './rewrap-batch.js';
import { MasterKeyRewrapper } from './rewrapper.js';
import { SEALED_TABLES } from './sealed-tables.js';

const NEW = Buffer.alloc(32, 3).toString('base64');
const PERSONS = Array.from({ length: 7 }, (_, index) => `person-${index}`);
const silent = createLogger('test', 'silent');
const next = new MasterKeys(NEW);
let store: TestDatabase;
let owner: Client;
let control: Database;
let background: Database;
let auth: Database;
let operator: Database;
let both: MasterKeys;
const tenants = [newId(), newId()];
const account = newId();
let personal: Buffer[];

beforeAll(async () => {
  store = await testDatabase();
  // The roles' passwords are of the key of the whole run, which is the second here.
  both = new MasterKeys(NEW, [store.masterKey]);
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  control = await Database.connect({ ...store, role: 'wharf_control', masterKey: both, poolSize: 2 });
  background = await Database.connect({ ...store, role: 'wharf_background', masterKey: both, poolSize: 2 });
  operator = await Database.connect({ ...store, role: 'wharf_operator', masterKey: both, poolSize: 1 });
  auth = await Database.connect({ ...store, role: 'wharf_auth', masterKey: both, poolSize: 1 });
  for (const tenantId of tenants)
    await control.asTenant(tenantId, async (tx) => {
      await tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [tenantId, `t-${tenantId}`]);
      await new TenantVault(store.masterKey).writeSecret(tx, tenantId, 'token', `value of ${tenantId}`);
    });
  await sealPlatformRows();
  personal = await background.asTenant(tenants[0] ?? '', (tx) => sealPersonal(tx, store.masterKey));
});

afterAll(async () => {
  await Promise.all([control?.close(), background?.close(), auth?.close(), operator?.close(), owner?.end()]);
  await store?.drop();
});

async function sealPersonal(tx: Parameters<PersonKeys['sealer']>[0], key: Secret): Promise<Buffer[]> {
  const seal = await new PersonKeys(key).sealer(tx, tenants[0] ?? '', PERSONS);
  return PERSONS.map((personId) => seal({ personId, value: { personId }, context: 'here' }));
}

/** As their rooms seal them, two of them as the release before did: without the key's id. */
async function sealPlatformRows(): Promise<void> {
  const seal = (purpose: string) => sealWithMaster(store.masterKey, purpose, Buffer.from(`plain ${purpose}`));
  await control.asService((tx) =>
    queueMail(tx, store.masterKey, { to: 'a@b.example', subject: 's', text: 't', usefulSeconds: 900 }),
  );
  await owner.query(`insert into audit_keys (id, public_key, sealed) values ($1, '', $2)`, [
    account,
    seal('audit-checkpoints'),
  ]);
  await owner.query(`insert into signing_keys (kid, alg, public_jwk, private_jwk) values ('kid', 'ES256', '{}', $1)`, [
    seal('signing-keys'),
  ]);
  await owner.query(`insert into accounts (id, email, password_hash) values ($1, 'a@b.example', 'x')`, [account]);
  await owner.query(`insert into account_totp (account_id, sealed) values ($1, $2)`, [
    account,
    seal(`totp:${account}`),
  ]);
  await owner.query(`insert into operators (id, name) values ($1, 'op')`, [account]);
  await owner.query(
    `insert into operator_accounts (operator_id, email, role, invited_by, password_hash, totp_sealed, enrolled_at)
     values ($1, 'op@b.example', 'admin', $1, 'x', $2, now())`,
    [account, seal(`operator-totp:${account}`)],
  );
  await owner.query(
    `insert into platform_idempotency_keys (key_hash, request_hash, answer, root_key_id, expires_at)
     values ($1, $1, $2, $3, now() + interval '1 day'), ($4, $4, null, null, now() + interval '1 day')`,
    ['a'.repeat(64), seal(`idempotency:${'a'.repeat(64)}`), masterKeyId(store.masterKey), 'b'.repeat(64)],
  );
  await owner.query(
    `insert into tenant_imports (id, state, bytes, digest, trusted, plan, reason, requested_by, sealed, root_key_id)
     values ($1, 'waiting', 1, 'sha256:' || repeat('0', 64), '{x}', 'free', 'r', $1, $2, $3)`,
    [account, seal(`tenant-import:${account}`), masterKeyId(store.masterKey)],
  );
  // Not begun, or ended: they hold no key, so are under none.
  await owner.query(
    `insert into tenant_imports (id, state, bytes, digest, trusted, plan, reason, requested_by)
     select gen_random_uuid(), unnest($1::text[]), 1, 'sha256:' || repeat('0', 64), '{x}', 'free', 'r', $2`,
    [['uploading', 'cancelled', 'failed', 'done'], account],
  );
  await owner.query(
    `insert into oauth_artifacts (model, id_hash, payload) values ('Grant', 'h', $1), ('RefreshToken', 'h', $2)`,
    [
      JSON.stringify({ sealed: seal('oauth-artifacts:Grant:h').toString('base64') }),
      JSON.stringify({ sealed: `2.${randomBytes(40).toString('base64')}` }),
    ],
  );
}

async function ask(): Promise<void> {
  await owner.query(`update master_keys set rewrap_asked_at = now(), rewrapped_at = null where id = $1`, [
    masterKeyId(next),
  ]);
}

async function usesOf(key: Secret): Promise<Record<string, number>> {
  const uses = await background.asService((tx) => countRootKeyUses(tx));
  return Object.fromEntries(
    uses.filter(({ rootKeyId }) => rootKeyId === masterKeyId(key)).map(({ table, rows }) => [table, rows]),
  );
}

const record = (key: Secret) =>
  recordMasterKeys(async (sql, parameters) => (await owner.query(sql, parameters)).rows, key);

test('a key that the database does not know, or that only opens, may not seal', async () => {
  await expect(acceptMasterKeys(control, next)).rejects.toThrow(/not the key that this database was set up with/);
  await expect(acceptMasterKeys(control, both)).rejects.toThrow(/run `npm run migrate`/);
  await record(new MasterKeys(store.masterKey.reveal(), [next]));
  await expect(acceptMasterKeys(control, both)).rejects.toThrow(/run `npm run migrate`/);
  await record(both);
  await acceptMasterKeys(control, both);
});

test('while rows are sealed under the old key, it is missed', async () => {
  await expect(acceptMasterKeys(control, next)).rejects.toThrow(
    new RegExp(`still sealed under master key ${masterKeyId(store.masterKey)}`),
  );
});

test('what is broken off half-way is gone on with, and every row is sealed under the new key in the end', async () => {
  await ask();
  expect(await new MasterKeyRewrapper(background, store.masterKey, 'background', silent).look()).toBe(0);
  const table = SEALED_TABLES.find(({ name }) => name === 'person_keys');
  if (table === undefined) throw new Error('person_keys is not in the list');
  const batch = await background.asService((tx) => rewrapBatch(tx, both, table, { after: undefined, limit: 3 }));
  expect(batch).toMatchObject({ sealed: 3, failed: [], last: [tenants[0], 'person-2'] });
  expect(await usesOf(store.masterKey)).toMatchObject({ person_keys: 4, data_keys: 2 });
  // Both kinds are read meanwhile.
  await expectEverythingOpens(both);
  const rewrapper = new MasterKeyRewrapper(background, both, 'background', silent);
  expect(await rewrapper.look()).toBe(15);
  expect(Object.keys(await usesOf(store.masterKey)).sort()).toEqual([
    'account_totp',
    'oauth_artifacts',
    'operator_accounts',
    'platform_idempotency_keys',
    'signing_keys',
  ]);
  expect(await new MasterKeyRewrapper(auth, both, 'auth-server', silent).look()).toBe(4);
  expect(await new MasterKeyRewrapper(operator, both, 'control-plane', silent).look()).toBe(1);
  // An answer that is kept for a day is not sealed anew, and keeps the key.
  await rewrapper.look();
  await expect(acceptMasterKeys(control, next)).rejects.toThrow(/still sealed under/);
  await owner.query(`update platform_idempotency_keys set expires_at = now()`);
  await rewrapper.look();
  expect(await usesOf(store.masterKey)).toEqual({});
  expect(await usesOf(next)).toMatchObject({ person_keys: 7, data_keys: 2, signing_keys: 1, tenant_imports: 1 });
  expect(await rewrapper.look()).toBe(0);
});

test('without the old key everything opens, and nothing does with it alone', async () => {
  const alone = new MasterKeys(NEW);
  await acceptMasterKeys(control, alone);
  await expectEverythingOpens(alone);
  expect(deriveLasting(alone, 'presented')).toEqual(deriveLasting(store.masterKey, 'presented'));
  await expect(acceptMasterKeys(control, store.masterKey)).rejects.toThrow(/still sealed under|run `npm run migrate`/);
  const old = new TenantVault(store.masterKey);
  const [tenantId = ''] = tenants;
  await expect(control.asTenant(tenantId, (tx) => old.readSecrets(tx, tenantId))).rejects.toThrow(/does not name; add/);
  const [{ salt }] = (await owner.query(`select salt from person_keys limit 1`)).rows;
  expect(salt).toHaveLength(0);
});

test('of a tenant that was shredded nothing opens, nothing is sealed, and services hear of it; others are as before', async () => {
  const [shredded = '', other = ''] = tenants;
  const vault = new TenantVault(both);
  const heard: string[] = [];
  const options = { ...store, role: 'wharf_gateway', masterKey: both } as const;
  const listener = await listenForChanges({ ...options, onChange: (tenantId) => heard.push(tenantId) });
  await background.asTenant(shredded, (tx) => shredTenant(tx, shredded));
  await until(async () => heard.includes(shredded), 'the change');
  await listener.close();
  expect(heard).not.toContain(other);
  const as = <Result>(work: Parameters<typeof control.asTenant<Result>>[1]) => control.asTenant(shredded, work);
  await expect(as((tx) => vault.readSecrets(tx, shredded))).rejects.toThrow(/were shredded/);
  await expect(as((tx) => vault.writeSecret(tx, shredded, 'new', 'value'))).rejects.toThrow(/were shredded/);
  await expect(as((tx) => vault.findDerivedKey(tx, shredded, 'events'))).rejects.toThrow(/were shredded/);
  const items = [{ personId: 'person-0', sealed: personal[0] ?? Buffer.alloc(0), context: 'here' }];
  expect(await background.asTenant(shredded, (tx) => new PersonKeys(both).open(tx, shredded, items))).toEqual([
    undefined,
  ]);
  const secrets = await control.asTenant(other, (tx) => vault.readSecrets(tx, other));
  expect(secrets.get('token')?.value).toBe(`value of ${other}`);
  expect(await usesOf(next)).toMatchObject({ data_keys: 1 });
  await background.asTenant(other, (tx) => shredTenant(tx, shredded));
  expect((await control.asTenant(other, (tx) => vault.readSecrets(tx, other))).size).toBe(1);
});

async function expectEverythingOpens(key: Secret): Promise<void> {
  for (const tenantId of tenants) {
    const secrets = await control.asTenant(tenantId, (tx) => new TenantVault(key).readSecrets(tx, tenantId));
    expect(secrets.get('token')?.value).toBe(`value of ${tenantId}`);
  }
  const persons = await background.asTenant(tenants[0] ?? '', (tx) =>
    new PersonKeys(key).open(
      tx,
      tenants[0] ?? '',
      PERSONS.map((personId, index) => ({ personId, sealed: personal[index] ?? Buffer.alloc(0), context: 'here' })),
    ),
  );
  expect(persons).toEqual(PERSONS.map((personId) => ({ personId })));
  await owner.query(`update mail_outbox set due_at = now()`);
  const mails = await background.asService((tx) => claimMails(tx, key, { max: 9, leaseSeconds: 1 }));
  expect(mails.map(({ to }) => to)).toEqual(['a@b.example']);
  const open = async (purpose: string, sql: string) => {
    const [row] = (await owner.query<{ sealed: Buffer }>(sql)).rows;
    expect(openWithMaster(key, purpose, row?.sealed ?? Buffer.alloc(0)).toString()).toBe(`plain ${purpose}`);
  };
  await open('audit-checkpoints', `select sealed from audit_keys`);
  await open('signing-keys', `select private_jwk as sealed from signing_keys`);
  await open(`operator-totp:${account}`, `select totp_sealed as sealed from operator_accounts`);
  await open(`totp:${account}`, `select sealed from account_totp`);
  await open(
    'oauth-artifacts:Grant:h',
    `select decode(payload ->> 'sealed', 'base64') as sealed from oauth_artifacts where model = 'Grant'`,
  );
}
