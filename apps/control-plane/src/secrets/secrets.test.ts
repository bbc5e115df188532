import { afterAll, beforeAll, expect, test } from '@jest/globals';
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
