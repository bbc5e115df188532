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

const create = (slug: string, of = tenant) =>
  api.send('POST', '/v1/servers', { key: of.key, body: { slug, name: 'S' } });

async function clientOf({ key }: TestTenant, kind: Readonly<Record<string, unknown>>): Promise<string> {
  const { body } = await api.send('POST', '/v1/clients', { key, body: { name: 'Client', ...kind } });
  return body.client.client_id;
}

test('a new server has its URL and no release yet', async () => {
  const created = await create('shop');
  expect(created.body).toMatchObject({
    slug: 'shop',
    urls: { mcp: `http://localhost:4000/t/${tenant.slug}/shop/mcp` },
    live_release: null,
    previous_release: null,
  });
  expect((await api.send('GET', '/v1/servers/shop', { key: tenant.key })).body).toEqual(created.body);
});

test('two tenants may use the same slug, one tenant may not use it twice', async () => {
  const other = await api.newTenant();
  expect((await create('same')).status).toBe(201);
  expect((await create('same', other)).status).toBe(201);
  expect((await create('same')).body).toMatchObject({ status: 409, code: 'conflict' });
});

test.each(['mcp', 'Shop', 'a_b', '-a', 'a-', '', 'a'.repeat(33)])('refuses the slug "%s"', async (slug) => {
  expect((await create(slug)).status).toBe(400);
});

test.each(['', '\u0000', 'a\nb', '\ud800', '\u202e', 'x'.repeat(121), 7])('refuses the name %j', async (name) => {
  const answer = await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug: 'named', name } });
  expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, '/name']);
});

test('the plan’s number of servers holds, however many are asked for at once', async () => {
  const crowd = await api.newTenant();
  const answers = await Promise.all(Array.from({ length: 14 }, (_, index) => create(`s${index}`, crowd)));
  expect(answers.filter((answer) => answer.status === 201)).toHaveLength(10);
  expect(answers.find((answer) => answer.status === 409)?.body.detail).toContain('The plan allows 10 servers');
});

test('a list is read in pages, each server once, and a made-up cursor is refused', async () => {
  const reader = await api.newTenant();
  for (const slug of ['a', 'b', 'c']) await create(slug, reader);
  const pages: string[][] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const { body } = await api.send('GET', `/v1/servers?limit=2${query}`, { key: reader.key });
    pages.push(body.servers.map((server: { slug: string }) => server.slug));
    cursor = body.next_cursor;
  }
  expect(pages).toEqual([['c', 'b'], ['a']]);
  for (const query of ['limit=0', 'limit=101', 'limit=1&limit=2', 'limit=two', 'cursor=x', 'cursor=']) {
    expect((await api.send('GET', `/v1/servers?${query}`, { key: reader.key })).status).toBe(400);
  }
});

test('a deleted server is gone, its slug is free again and the deletion is recorded', async () => {
  const { id } = (await create('brief')).body;
  expect((await api.send('DELETE', '/v1/servers/brief', { key: tenant.key })).status).toBe(204);
  expect((await api.send('GET', '/v1/servers/brief', { key: tenant.key })).status).toBe(404);
  const audit = await api.send('GET', `/v1/audit?target=server:${id}`, { key: tenant.key });
  expect(audit.body.records.map((record: { event: string }) => record.event)).toEqual([
    'server.deleted',
    'server.created',
  ]);
  expect((await create('brief')).status).toBe(201);
});

test('whether agents may write, the groups of tools and who may act for callers are the server’s to say', async () => {
  const made = (await create('scoped')).body;
  expect(made).toMatchObject({ writes: false, asks_for: 'read' });
  expect([made.tool_groups, made.token_exchange]).toEqual([{}, { clients: [], servers: [] }]);
  const change = (body: unknown) => api.send('PATCH', '/v1/servers/scoped', { key: tenant.key, body });
  const named = (await change({ name: 'Anew', writes: true })).body;
  expect(named).toMatchObject({ name: 'Anew', slug: 'scoped', writes: true, asks_for: 'read', tool_groups: {} });
  expect((await change({ asks_for: 'write' })).body).toEqual({ ...named, asks_for: 'write' });
  const client = await clientOf(tenant, { kind: 'machine' });
  const changed = await change({ tool_groups: { refunds: ['refund'] }, token_exchange: { clients: [client] } });
  expect(changed.body).toMatchObject({
    writes: true,
    tool_groups: { refunds: ['refund'] },
    token_exchange: { clients: [client], servers: [] },
  });
  for (const bad of [
    {},
    { writes: 'yes' },
    { name: '', asks_for: 'read' },
    { asks_for: 'everything' },
    { tool_groups: { read: ['find'] } },
    { tool_groups: { 'a b': ['find'] } },
    { tool_groups: { empty: [] } },
    { tool_groups: { odd: ['no spaces please'] } },
    { token_exchange: { clients: [''] } },
    { token_exchange: [] },
    { token_exchange: {} },
  ])
    expect((await change(bad)).status).toBe(400);
  const audit = await api.send('GET', `/v1/audit?target=server:${made.id}&event=server.changed`, { key: tenant.key });
  expect(audit.body.records.map(({ details }: { details: unknown }) => details)).toEqual([
    { tool_groups: { refunds: ['refund'] }, exchange_clients: [client], exchange_servers: [] },
    { asks_for: 'write' },
    { name: 'Anew', writes: true },
  ]);
});

test('the servers that callers are passed on to are others of the tenant, and are forgotten when they are deleted', async () => {
  const other = await api.newTenant();
  await create('theirs', other);
  for (const slug of ['passing', 'first', 'second']) await create(slug);
  const change = (exchange: unknown) =>
    api.send('PATCH', '/v1/servers/passing', { key: tenant.key, body: { token_exchange: exchange } });
  const named = await change({ servers: ['first', 'second'] });
  expect([named.status, named.body.token_exchange]).toEqual([200, { clients: [], servers: ['first', 'second'] }]);
  for (const bad of ['theirs', 'never', 'passing']) {
    const refused = await change({ servers: ['first', bad] });
    expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([422, '/token_exchange/servers/1']);
  }
  expect((await change({ clients: [] })).body.token_exchange).toEqual({ clients: [], servers: ['first', 'second'] });
  await api.send('DELETE', '/v1/servers/first', { key: tenant.key });
  const shown = await api.send('GET', '/v1/servers/passing', { key: tenant.key });
  expect(shown.body.token_exchange.servers).toEqual(['second']);
});

test('the clients that act for callers are there and prove themselves; of another tenant is as if there were none', async () => {
  const other = await api.newTenant();
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const registersItself = (id: string, ends: string) =>
    owner.query(
      `insert into oauth_artifacts (model, id_hash, payload, expires_at)
       values ('Client', encode(sha256($1::bytea), 'hex'), '{}', now() + $2::interval)`,
      [Buffer.from(id), ends],
    );
  await registersItself('client_here', '7 days');
  await registersItself('client_forgotten', '-1 second');
  await owner.end();
  const own = await clientOf(tenant, { kind: 'confidential', redirect_uris: ['https://app.example/cb'] });
  const clients = [own, 'client_here'];
  const change = (named: readonly string[]) =>
    api.send('PATCH', '/v1/servers/passing', { key: tenant.key, body: { token_exchange: { clients: named } } });
  expect((await change(clients)).body.token_exchange.clients).toEqual(clients);
  const unknown = `${own.slice(0, -4)}AAAA`;
  const bad = {
    foreign: await clientOf(other, { kind: 'machine' }),
    unknown,
    public: await clientOf(tenant, { kind: 'public', redirect_uris: ['http://127.0.0.1/cb'] }),
    forgotten: 'client_forgotten',
    document: 'https://agent.example/client.json',
  };
  const said = new Set<string>();
  for (const name of Object.values(bad)) {
    const { status, body } = await change([own, name]);
    expect([status, body.errors?.[0]?.pointer]).toEqual([422, '/token_exchange/clients/1']);
    expect(body.detail).toContain(name);
    said.add(body.detail.replace(name, ''));
  }
  expect(said.size).toBe(1);
  const shown = async () =>
    (await api.send('GET', '/v1/servers/passing', { key: tenant.key })).body.token_exchange.clients;
  expect(await shown()).toEqual(clients);
  await api.send('DELETE', `/v1/clients/${own}`, { key: tenant.key });
  expect(await shown()).toEqual(['client_here']);
});

test('whether old answers may stand in is the server’s to say, and is recorded', async () => {
  const { id, stale_answers: before } = (await create('stale')).body;
  expect(before).toEqual({ enabled: false, max_age_seconds: 3_600 });
  const change = (choice: unknown) =>
    api.send('PATCH', '/v1/servers/stale', { key: tenant.key, body: { stale_answers: choice } });
  const enabled = await change({ enabled: true, max_age_seconds: 60 });
  expect([enabled.status, enabled.body.stale_answers]).toEqual([200, { enabled: true, max_age_seconds: 60 }]);
  expect((await change({ enabled: false })).body.stale_answers).toEqual({ enabled: false, max_age_seconds: 60 });
  for (const bad of [
    {},
    { enabled: 'yes' },
    { enabled: true, max_age_seconds: 0 },
    { enabled: true, max_age_seconds: 604_801 },
  ])
    expect((await change(bad)).status).toBe(400);
  const audit = await api.send('GET', `/v1/audit?target=server:${id}`, { key: tenant.key });
  expect(audit.body.records).toMatchObject([
    { event: 'server.changed', details: { stale_answers: false, max_age_seconds: 60 } },
    { event: 'server.changed', details: { stale_answers: true, max_age_seconds: 60 } },
    { event: 'server.created' },
  ]);
});

test('public lists and the old transport are off until they are switched on, each for itself, and both are recorded', async () => {
  const { id, ...before } = (await create('opened')).body;
  expect(before).toMatchObject({ public_lists: false, sse_transport: false });
  const change = (body: unknown) => api.send('PATCH', '/v1/servers/opened', { key: tenant.key, body });
  expect((await change({ public_lists: true })).body).toMatchObject({ public_lists: true, sse_transport: false });
  expect((await change({ sse_transport: true })).body).toMatchObject({ public_lists: true, sse_transport: true });
  for (const bad of [{ public_lists: 1 }, { public_lists: null }, { sse_transport: 'yes' }])
    expect((await change(bad)).status).toBe(400);
  const audit = await api.send('GET', `/v1/audit?target=server:${id}`, { key: tenant.key });
  expect(audit.body.records).toMatchObject([
    { event: 'server.changed', details: { sse_transport: true } },
    { event: 'server.changed', details: { public_lists: true } },
    { event: 'server.created' },
  ]);
});

test('what audit records hold of calls is the server’s to say, and is recorded', async () => {
  const { id, audit: before } = (await create('telling')).body;
  expect(before).toEqual({ records_content: false });
  const change = (body: unknown) => api.send('PATCH', '/v1/servers/telling', { key: tenant.key, body });
  const told = await change({ audit: { records_content: true } });
  expect([told.status, told.body.audit]).toEqual([200, { records_content: true }]);
  for (const bad of [{}, { audit: {} }, { audit: { records_content: 'yes' } }])
    expect((await change(bad)).status).toBe(400);
  const audit = await api.send('GET', `/v1/audit?target=server:${id}`, { key: tenant.key });
  expect(audit.body.records[0]).toMatchObject({ event: 'server.changed', details: { records_content: true } });
});

test('what cannot be recorded is not done', async () => {
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  await owner.query(`revoke insert on audit_records from wharf_control`);
  try {
    expect((await create('unrecorded')).status).toBeGreaterThanOrEqual(500);
    const key = await api.send('POST', '/v1/api-keys', { key: tenant.key, body: { name: 'k', scopes: ['mcp'] } });
    expect(key.status).toBeGreaterThanOrEqual(500);
  } finally {
    await owner.query(`grant insert on audit_records to wharf_control`);
    await owner.end();
  }
  expect((await api.send('GET', '/v1/servers/unrecorded', { key: tenant.key })).status).toBe(404);
  expect((await create('unrecorded')).status).toBe(201);
});
