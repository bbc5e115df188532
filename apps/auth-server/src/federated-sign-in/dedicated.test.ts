import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { settleTenant, testDatabase, until, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { locationOf } from '../testing/auth-world.fixture.js';
import { ANNA, FederationWorld } from '../testing/federation-world.fixture.js';

/** `acme`, whose people sign in with its provider, has a database of its own. */
let own: TestDatabase;
let there: Client;
let f: FederationWorld;

beforeAll(async () => {
  own = await testDatabase();
  there = new Client({ connectionString: own.databaseUrl });
  await there.connect();
  await there.query(`update installation set database = 'own'`);
  f = await FederationWorld.open({ WHARF_DEDICATED_DATABASES: `own=${own.databaseUrl}` });
  await f.company.tell({ person: ANNA });
  await settleTenant(f.world.store.databaseUrl, own.databaseUrl, f.acme);
});

afterAll(async () => {
  await f?.close();
  await there?.end();
  await own?.drop();
});

const rowsOf = async (client: Client, sql: string) => (await client.query(sql, [f.acme])).rows;
const MEMBERS = `select a.id, a.asserted_email as email, m.role from members m join accounts a on a.id = m.account_id where m.tenant_id = $1`;
const SIGNED_IN = `select actor ->> 'id' as id from audit_records where tenant_id = $1 and event = 'login.succeeded' order by at`;

async function tokenStatus(): Promise<number> {
  const code = locationOf(await f.signIn()).searchParams.get('code');
  return (await f.world.redeem(f.client, code, f.resource)).status;
}

test('somebody new becomes a member where the tenant lives, with an account that is everybody’s, and is known again', async () => {
  expect([await tokenStatus(), await tokenStatus()]).toEqual([200, 200]);
  const members = await rowsOf(there, MEMBERS);
  expect(members).toEqual([{ id: expect.any(String), email: ANNA.email, role: 'developer' }]);
  const { id } = members[0] as { id: string }; // just seen
  expect(await rowsOf(there, SIGNED_IN)).toEqual([{ id }, { id }]);
  const accounts = `select id, email, asserted_email from accounts where home_tenant_id = $1`;
  expect(await rowsOf(f.world.owner, accounts)).toEqual([{ id, email: null, asserted_email: ANNA.email }]);
  for (const table of ['members', 'federated_identities', 'grants', 'audit_records'])
    expect([table, await rowsOf(f.world.owner, `select from ${table} where tenant_id = $1`)]).toEqual([table, []]);
  const { rows } = await there.query(`select tenant_id from members where tenant_id <> $1`, [f.acme]);
  expect(rows).toEqual([]);
});

test('whom the provider no longer names is taken out where the tenant lives, and what their agents held ends', async () => {
  await f.company.tell({ person: { ...ANNA, groups: [] } });
  expect((await f.signIn()).status).toBe(403);
  expect(await rowsOf(there, MEMBERS)).toEqual([]);
  expect(await rowsOf(there, `select from grants where tenant_id = $1 and revoked_at is null`)).toEqual([]);
  await f.company.tell({ person: ANNA });
});

test('while the tenant is on its way who signs in or asks for a token is told to come again, and then served', async () => {
  const code = locationOf(await f.signIn()).searchParams.get('code');
  for (const client of [f.world.owner, there])
    await client.query(`update tenant_homes set state = 'returning' where tenant_id = $1`, [f.acme]);
  const page = await f.loginPage(f.newBrowser());
  expect(page.status).toBe(503);
  expect(page.headers.get('retry-after')).toBe('5');
  const refused = await f.world.redeem(f.client, code, f.resource);
  expect([refused.status, refused.body['error'], refused.headers.get('retry-after')]).toEqual([
    503,
    'temporarily_unavailable',
    '5',
  ]);
  for (const client of [f.world.owner, there])
    await client.query(`update tenant_homes set state = 'dedicated' where tenant_id = $1`, [f.acme]);
  await until(async () => (await f.loginPage(f.newBrowser())).status === 200, 'the tenant to be open again');
  expect(await tokenStatus()).toBe(200);
});
