import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MasterKeys, Secret } from '#libs/config';
import { Database, newId } from '#libs/database';
import { acceptMasterKeys, masterKeyId, PersonKeys, recordMasterKeys, TenantVault } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { testHomes, type TestHomes } from '#libs/testing';
import { Client } from 'pg';
import { MasterKeyRewrapper } from './rewrapper.js';

/** One tenant is at home in the common database, one in a database of its own. */
const NEW = Buffer.alloc(32, 5).toString('base64');
const silent = createLogger('test', 'silent');
const [here, there] = [newId(), newId()];
let homes: TestHomes;
let owner: Client;
let ownOwner: Client;
let both: MasterKeys;
let control: Database;
let background: Database;
let sealed: Buffer[];

beforeAll(async () => {
  homes = await testHomes();
  both = new MasterKeys(NEW, [homes.common.masterKey]);
  owner = new Client({ connectionString: homes.common.databaseUrl });
  ownOwner = new Client({ connectionString: homes.own.databaseUrl });
  await Promise.all([owner.connect(), ownOwner.connect()]);
  const options = { ...homes.common, masterKey: both, dedicated: homes.dedicated, poolSize: 2 };
  control = await Database.connect({ ...options, role: 'wharf_control' });
  background = await Database.connect({ ...options, role: 'wharf_background' });
  for (const id of [here, there])
    await control.asTenant(id, async (tx) => {
      await tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
      await new TenantVault(homes.common.masterKey).writeSecret(tx, id, 'token', `value of ${id}`);
    });
  const person = { personId: 'anna', value: { name: 'Anna' }, context: 'here' };
  const keys = new PersonKeys(homes.common.masterKey);
  const seal = await background.asTenant(there, (tx) => keys.sealer(tx, there, ['anna']));
  sealed = [seal(person)];
  await homes.settle(there);
  for (const client of [owner, ownOwner])
    await recordMasterKeys(async (sql, parameters) => (await client.query(sql, parameters)).rows, both);
  await owner.query(`update master_keys set rewrap_asked_at = now() where id = $1`, [masterKeyId(both)]);
});

afterAll(async () => {
  await Promise.all([control?.close(), background?.close(), owner?.end(), ownOwner?.end()]);
  await homes?.drop();
});

const look = (database = background) => new MasterKeyRewrapper(database, both, 'background', silent).look();
const isDone = async () => (await owner.query(`select from master_keys where rewrapped_at is not null`)).rowCount === 1;
const keysThere = async () =>
  (await ownOwner.query(`select wrapping_key_id as key from data_keys union select root_key_id from person_keys`)).rows;
const OLD = () => masterKeyId(homes.common.masterKey);

test('while a tenant’s database is away the old key is not taken away, and the others’ rows are sealed anew', async () => {
  const gone = new URL(homes.own.databaseUrl);
  gone.pathname = '/gone';
  const dedicated = { databases: new Map([['own', new Secret(gone.toString())]]), poolsMax: 1 };
  const cutOff = await Database.connect({
    ...homes.common,
    masterKey: both,
    role: 'wharf_background',
    poolSize: 2,
    dedicated,
  });
  await expect(look(cutOff)).rejects.toMatchObject({ code: 'unavailable' });
  await cutOff.close();
  const { rows } = await owner.query(`select wrapping_key_id as key from data_keys`);
  expect([rows, await isDone()]).toEqual([[{ key: masterKeyId(both) }], false]);
  expect(await keysThere()).toEqual([{ key: OLD() }]);
});

test('rows of a tenant on its way stay as they are, and the old key is kept until it has arrived', async () => {
  for (const client of [owner, ownOwner])
    await client.query(`update tenant_homes set state = 'returning' where tenant_id = $1`, [there]);
  await look();
  expect([await keysThere(), await isDone()]).toEqual([[{ key: OLD() }], false]);
  for (const client of [owner, ownOwner])
    await client.query(`update tenant_homes set state = 'dedicated' where tenant_id = $1`, [there]);
});

test('rows in a database of a tenant’s own are sealed under the new key, and open with it alone', async () => {
  await look();
  expect([await keysThere(), await isDone()]).toEqual([[{ key: masterKeyId(both) }], true]);
  const alone = new MasterKeys(NEW);
  for (const id of [here, there]) {
    const secrets = await control.asTenant(id, (tx) => new TenantVault(alone).readSecrets(tx, id));
    expect(secrets.get('token')?.value).toBe(`value of ${id}`);
  }
  const items = [{ personId: 'anna', sealed: sealed[0] ?? Buffer.alloc(0), context: 'here' }];
  const persons = await background.asTenant(there, (tx) => new PersonKeys(alone).open(tx, there, items));
  expect(persons).toEqual([{ name: 'Anna' }]);
  await acceptMasterKeys(control, alone);
  const { rows } = await ownOwner.query(`select id, left_at is not null as left from master_keys order by 2`);
  expect(rows).toEqual([
    { id: masterKeyId(both), left: false },
    { id: OLD(), left: true },
  ]);
});
