import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let owner: Client;
let tenant: TestTenant;
let other: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  owner = await api.connectOwner();
  [tenant, other] = await Promise.all([api.newTenant(), api.newTenant()]);
});

afterAll(() => api?.stop());

const KEY = { name: 'agent', scopes: ['mcp'] };

function create(name: string, body: unknown = KEY, key = tenant.key) {
  return api.send('POST', '/v1/api-keys', { key, body, headers: { 'idempotency-key': name } });
}

async function keysOf({ id }: TestTenant): Promise<number> {
  const { rows } = await owner.query(`select count(*)::int as count from api_keys where tenant_id = $1`, [id]);
  return rows[0].count;
}

test('a repeated request gets the first answer, one-time secret and status too, and does nothing more', async () => {
  const name = randomUUID();
  const first = await create(name);
  const count = await keysOf(tenant);
  const second = await create(name, { scopes: ['mcp'], name: 'agent' });
  expect([second.status, second.text]).toEqual([201, first.text]);
  expect([first, second].map(({ headers }) => headers.get('idempotency-replayed'))).toEqual([null, 'true']);
  expect(await keysOf(tenant)).toBe(count);
});

test('one key for two requests is refused, and changes nothing', async () => {
  const name = randomUUID();
  await create(name);
  const count = await keysOf(tenant);
  const reused = await create(name, { ...KEY, name: 'another' });
  expect([reused.status, reused.body.code]).toEqual([422, 'idempotency_key_reused']);
  const elsewhere = { key: tenant.key, body: { slug: 'x', name: 'X' }, headers: { 'idempotency-key': name } };
  expect((await api.send('POST', '/v1/servers', elsewhere)).status).toBe(422);
  expect(await keysOf(tenant)).toBe(count);
});

test('of many at once one is carried out, and the others are told to wait or get its answer', async () => {
  const [name, before] = [randomUUID(), await keysOf(tenant)];
  const answers = await Promise.all(Array.from({ length: 8 }, () => create(name)));
  expect(await keysOf(tenant)).toBe(before + 1);
  expect(new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text)).size).toBe(1);
  const waiting = answers.filter(({ status }) => status !== 201);
  for (const { status, body, headers } of waiting) {
    expect([status, body.code, headers.get('retry-after')]).toEqual([409, 'idempotency_key_in_use', '1']);
  }
});

test('a key is its caller’s own: nobody is shown what another was answered', async () => {
  const name = randomUUID();
  const mine = await create(name);
  const colleague = (await create(randomUUID(), { name: 'second', scopes: ['management'] })).body.text;
  for (const key of [colleague, other.key]) {
    const answer = await create(name, KEY, key);
    expect([answer.status, answer.headers.get('idempotency-replayed')]).toEqual([201, null]);
    expect(answer.body.text).not.toBe(mine.body.text);
  }
});

test('a refusal is no answer: the same key works once what was wrong is put right', async () => {
  const name = randomUUID();
  const body = { name: 'scoped', scopes: [`later-${tenant.slug.slice(2, 8)}:read`] };
  expect((await create(name, body)).status).toBe(422);
  const slug = body.scopes[0]?.split(':')[0];
  await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug, name: 'Later' } });
  expect((await create(name, body)).status).toBe(201);
});

test('a request that broke off without an answer is not carried out again', async () => {
  const name = randomUUID();
  await create(name);
  await owner.query(`update idempotency_keys set answer = null, data_key_id = null where tenant_id = $1`, [tenant.id]);
  const count = await keysOf(tenant);
  expect((await create(name)).body.code).toBe('idempotency_key_in_use');
  expect(await keysOf(tenant)).toBe(count);
});

test('after a day the key is free again', async () => {
  const name = randomUUID();
  const first = await create(name);
  await owner.query(`update idempotency_keys set expires_at = now() - interval '1 second' where tenant_id = $1`, [
    tenant.id,
  ]);
  const second = await create(name, { ...KEY, name: 'another day' });
  expect([second.status, second.body.id === first.body.id]).toEqual([201, false]);
});

test('neither answers nor bodies can be read in the database', async () => {
  const { text } = (await create(randomUUID())).body;
  const { rows } = await owner.query(`select answer from idempotency_keys where answer is not null`);
  expect(rows.length).toBeGreaterThan(0);
  expect(Buffer.concat(rows.map(({ answer }) => answer)).includes(text)).toBe(false);
});

test.each(['', 'two words', 'é', 'x'.repeat(256)])('refuses the key "%s"', async (name) => {
  const sent = { key: tenant.key, body: KEY, headers: { 'idempotency-key': Buffer.from(name).toString('latin1') } };
  expect((await api.send('POST', '/v1/api-keys', sent)).status).toBe(400);
});

describe('callers without a tenant', () => {
  test('a repeated sign-up is answered with the same first key; another one under its key is another sign-up', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const slug = `t-${randomUUID().slice(0, 8)}`;
    const body = { tenant_name: 'T', slug, email: `${slug}@example.com`, password: 'correct horse battery' };
    const [first, second] = [
      await api.send('POST', '/v1/signup', { body, headers }),
      await api.send('POST', '/v1/signup', { body, headers }),
    ];
    expect([second.status, second.text]).toEqual([201, first.text]);
    const wrong = { ...body, password: 'another horse battery' };
    expect((await api.send('POST', '/v1/signup', { body: wrong, headers })).status).toBe(409);
    const { rows } = await owner.query(`select answer from platform_idempotency_keys where answer is not null`);
    expect(Buffer.concat(rows.map(({ answer }) => answer)).includes(first.body.api_key.text)).toBe(false);
  });

  test('an operator’s repeated act is done, and recorded, once', async () => {
    const act = () =>
      api.send('POST', `/admin/v1/tenants/${other.slug}/resume`, {
        key: api.operatorKey,
        body: { reason: 'once' },
        headers: { 'idempotency-key': 'resume-once' },
      });
    expect([(await act()).status, (await act()).status]).toEqual([200, 200]);
    const { rows } = await owner.query(`select count(*)::int as count from operator_actions where reason = 'once'`);
    expect(rows[0].count).toBe(1);
  });
});
