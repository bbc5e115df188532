import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TenantVault } from '#libs/secrets';
import { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
});

afterAll(() => api.stop());

const write = (name: string, value: unknown) =>
  api.send('PUT', `/v1/secrets/${name}`, { key: tenant.key, body: { value } });

test('a value is counted in versions and never shown, recorded or stored in plain', async () => {
  expect((await write('upstream', 'SECRET-CANARY-1')).body).toMatchObject({ name: 'upstream', version: 1 });
  expect((await write('upstream', 'SECRET-CANARY-2')).body).toMatchObject({ name: 'upstream', version: 2 });
  const list = await api.send('GET', '/v1/secrets', { key: tenant.key });
  expect(list.body.secrets).toMatchObject([{ name: 'upstream', version: 2 }]);
  const audit = await api.send('GET', '/v1/audit?target=secret:upstream', { key: tenant.key });
  expect(audit.body.records).toHaveLength(2);
  expect(list.text + audit.text).not.toContain('CANARY');
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const { rows } = await owner.query(`select encode(ciphertext, 'escape') as text from secrets`);
  await owner.end();
  expect(JSON.stringify(rows)).not.toContain('CANARY');
});

test('a deleted secret is gone and can be written anew', async () => {
  await write('brief', 'v');
  const remove = () => api.send('DELETE', '/v1/secrets/brief', { key: tenant.key });
  expect((await remove()).status).toBe(204);
  expect((await remove()).status).toBe(404);
  expect((await write('brief', 'v')).body.version).toBe(1);
});

test('writing a name that another tenant has writes one’s own', async () => {
  const other = await api.newTenant();
  await write('shared-name', 'a');
  await write('shared-name', 'b');
  const answer = await api.send('PUT', '/v1/secrets/shared-name', { key: other.key, body: { value: 'c' } });
  expect(answer.body.version).toBe(1);
});

test.each([
  ['nothing', ''],
  ['8193 bytes', 'x'.repeat(8_193)],
  ['8193 bytes in fewer characters', 'é'.repeat(4_097)],
  ['a line break', 'a\r\nX-Injected: 1'],
  ['a zero byte', 'a\u0000b'],
  ['half a character', '\ud800'],
  ['a number', 7],
])('refuses %s as a value', async (_, value) => {
  const answer = await write('bad', value);
  expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, '/value']);
});

test('takes 8192 bytes', async () => {
  expect((await write('large', 'x'.repeat(8_192))).status).toBe(200);
});

test.each(['Upper', 'a.b', '_a', 'x'.repeat(64)])('a secret cannot be called %s', async (name) => {
  const answer = await write(name, 'v');
  expect(answer.status).toBe(400);
  expect(answer.body.errors).toEqual([{ pointer: '/path/name', message: expect.stringContaining('up to 63') }]);
});

test('a missing value is called missing', async () => {
  const answer = await api.send('PUT', '/v1/secrets/empty', { key: tenant.key, body: {} });
  expect(answer.body.errors).toEqual([{ pointer: '/value', message: 'This is missing. Give a value of type string.' }]);
});

const versionsOf = async (name: string, query = '', key = tenant.key) =>
  api.send('GET', `/v1/secrets/${name}/versions${query}`, { key });
const numbers = ({ body }: { body: { versions: Array<{ version: number }> } }) =>
  body.versions.map(({ version }) => version);

test('the versions of a secret are listed with who wrote them and under which key, and never their values', async () => {
  const member = await api.newMember(tenant, 'developer');
  await write('listed', 'VALUE-CANARY-1');
  await api.send('PUT', '/v1/secrets/listed', {
    key: await api.tokenOf(tenant, member),
    body: { value: 'VALUE-CANARY-2' },
  });
  const listed = await versionsOf('listed');
  expect(listed.text).not.toContain('CANARY');
  expect(listed.body.versions).toEqual([
    {
      version: 2,
      current: true,
      created_at: expect.any(String),
      created_by: expect.objectContaining({ kind: 'person', id: member }),
      key_id: expect.any(String),
      restored_from: null,
    },
    expect.objectContaining({ version: 1, current: false, created_by: expect.objectContaining({ kind: 'api-key' }) }),
  ]);
  const first = await versionsOf('listed', '?limit=1');
  expect([numbers(first), numbers(await versionsOf('listed', `?limit=1&cursor=${first.body.next_cursor}`))]).toEqual([
    [2],
    [1],
  ]);
  const other = await api.newTenant();
  expect((await versionsOf('listed', '', other.key)).status).toBe(404);
});

test('an earlier value is restored as the newest version, and is what calls are given', async () => {
  await write('turned', 'good');
  await write('turned', 'bad');
  const restore = (version: number) =>
    api.send('POST', `/v1/secrets/turned/versions/${version}/restore`, { key: tenant.key });
  expect((await restore(2)).body).toMatchObject({ code: 'conflict', detail: expect.stringContaining('in use') });
  expect((await restore(7)).status).toBe(404);
  expect((await restore(1)).body).toMatchObject({ name: 'turned', version: 3 });
  expect((await versionsOf('turned')).body.versions).toMatchObject([
    { version: 3, current: true, restored_from: 1 },
    { version: 2, current: false },
    { version: 1, current: false },
  ]);
  const stored = await api.control.asTenant(tenant.id, (tx) =>
    new TenantVault(api.masterKey).readSecrets(tx, tenant.id),
  );
  expect(stored.get('turned')).toEqual({ version: 3, value: 'good' });
  const audit = await api.send('GET', '/v1/audit?target=secret:turned', { key: tenant.key });
  expect(audit.body.records[0].details).toEqual({ version: 3, restored_from: 1 });
});

test('ten versions are kept, one that leaked is deleted for good, and all go with their secret', async () => {
  for (let number = 1; number <= 12; number += 1) await write('many', `v${number}`);
  expect(numbers(await versionsOf('many'))).toEqual([12, 11, 10, 9, 8, 7, 6, 5, 4, 3]);
  const remove = (version: number) => api.send('DELETE', `/v1/secrets/many/versions/${version}`, { key: tenant.key });
  expect((await remove(12)).body.code).toBe('conflict');
  expect([(await remove(11)).status, (await remove(11)).status]).toEqual([204, 404]);
  expect(numbers(await versionsOf('many'))).not.toContain(11);
  await api.send('DELETE', '/v1/secrets/many', { key: tenant.key });
  await write('many', 'anew');
  expect(numbers(await versionsOf('many'))).toEqual([1]);
});
