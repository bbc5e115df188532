import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
  for (const slug of ['shop', 'crm', 'empty'])
    await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug, name: slug } });
  await api.control.asTenant(tenant.id, (tx) => tx.query(`update servers set writes = true`));
  await live('shop', { get_order: 'read', list_orders: 'read', cancel_order: 'write' });
  await live('crm', { get_person: 'read' });
});
afterAll(() => api.stop());

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  api.send(method, path, { key: tenant.key, headers, ...(body === undefined ? {} : { body }) });
const create = (slug: string, more: object = {}) => send('POST', '/v1/profiles', { slug, name: slug, ...more });

async function live(slug: string, tools: Record<string, 'read' | 'write'>): Promise<void> {
  const digest = `sha256:${newId().replaceAll('-', '').repeat(2)}`;
  const tokens = Object.fromEntries(Object.keys(tools).map((name) => [name, 100]));
  await api.control.asTenant(tenant.id, async (tx) => {
    await tx.query(
      `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'application/json', 2, '{}')`,
      [tenant.id, digest],
    );
    await tx.query(
      `with made as (
         insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools, tool_tokens)
         select $1, $2, s.id, coalesce((select max(number) from releases r where r.server_id = s.id), 0) + 1, 'http', $3,
           'live', '{}', '{}', $5, $6 from servers s where s.slug = $4 returning id, server_id)
       update servers set live_release_id = made.id from made where servers.id = made.server_id`,
      [tenant.id, newId(), digest, slug, JSON.stringify(tools), JSON.stringify(tokens)],
    );
  });
}

test('a profile is created with open defaults, shows its URL and cost, is changed in part and deleted', async () => {
  const made = await create('support');
  expect(made.status).toBe(201);
  expect(made.body.profile).toMatchObject({
    servers: null,
    read_only: false,
    search: false,
    short_names: true,
    urls: { mcp: expect.stringMatching(/\/t\/[^/]+\/support\/mcp$/) },
    live_now: { tools: 4, listed_tools: 4, list_tokens: 400, warnings: [] },
  });
  const changed = await send(
    'PATCH',
    '/v1/profiles/support',
    { read_only: true },
    { 'if-match': made.headers.get('etag') ?? '' },
  );
  expect(changed.body.profile).toMatchObject({ read_only: true, live_now: { tools: 3, list_tokens: 300 } });
  expect(
    (await send('PATCH', '/v1/profiles/support', { search: true }, { 'if-match': made.headers.get('etag') ?? '' }))
      .status,
  ).toBe(412);
  const searching = (await send('PATCH', '/v1/profiles/support', { search: true })).body.profile;
  expect(searching.live_now).toMatchObject({ tools: 3, listed_tools: 3 });
  const { tools } = (await send('GET', '/v1/profiles/support/tools')).body;
  expect(tools[0]).toEqual({
    name: 'crm__get_person',
    full_name: 'crm__get_person',
    server: 'crm',
    access: 'read',
    tokens: 100,
  });
  expect((await send('GET', '/v1/profiles')).body.profiles).toHaveLength(1);
  expect((await send('GET', '/v1/profiles/support/connect-attempts')).body).toEqual({ attempts: [] });
  expect((await send('DELETE', '/v1/profiles/support')).status).toBe(204);
  expect((await send('GET', '/v1/profiles/support')).status).toBe(404);
  const events = (await send('GET', '/v1/audit')).body.records.map(({ event }: { event: string }) => event);
  expect(events).toEqual(expect.arrayContaining(['profile.created', 'profile.changed', 'profile.deleted']));
});

test.each<[string, object, string, string]>([
  ['an unknown server', { servers: ['shop', 'nope'] }, '/servers/1', 'no server nope'],
  ['a server twice', { servers: ['shop', 'shop'] }, '/servers/1', 'twice'],
  ['a tool that is not there', { tools: { include: ['shop__nope'] } }, '/tools/include/0', 'no such tool'],
  [
    'a pattern of another server',
    { servers: ['shop'], tools: { exclude: ['crm__*'] } },
    '/tools/exclude/0',
    'of this profile',
  ],
  ['a rename of what is not there', { renames: { shop__nope: 'a' } }, '/renames/shop__nope', 'no such tool'],
  [
    'a rename of what is left out',
    { tools: { exclude: ['*__get_order'] }, renames: { shop__get_order: 'a' } },
    '/renames/shop__get_order',
    'left out',
  ],
  [
    'two names alike',
    { renames: { shop__get_order: 'a', crm__get_person: 'a' } },
    '/renames/crm__get_person',
    'renamed so too',
  ],
  [
    'the name of another tool',
    { renames: { shop__get_order: 'crm__get_person' } },
    '/renames/shop__get_order',
    'is called so',
  ],
  [
    'a name clients refuse',
    { renames: { shop__get_order: 'get order' } },
    '/renames/shop__get_order',
    'clients refuse',
  ],
  [
    'a name too long for clients',
    { renames: { shop__get_order: 'a'.repeat(60) } },
    '/renames/shop__get_order',
    'their own prefix',
  ],
  [
    'a name of search mode',
    { search: true, renames: { shop__get_order: 'run_tool' } },
    '/renames/shop__get_order',
    'search mode',
  ],
])('refuses %s and says where', async (_, more, pointer, says) => {
  const refused = await create('bad', more);
  expect(refused.status).toBe(422);
  expect(refused.body.errors).toEqual([{ pointer, message: expect.stringContaining(says) }]);
  expect((await send('GET', '/v1/profiles/bad')).status).toBe(404);
});

test('an allow-list is what it named when it was written; later releases show as warnings', async () => {
  const made = await create('careful', {
    servers: ['shop', 'empty'],
    tools: { include: ['shop__*_order', 'empty__later'] },
    renames: { shop__get_order: 'order' },
  });
  expect(made.body.profile.live_now).toMatchObject({ tools: 2, warnings: [expect.stringContaining('empty__later')] });
  await live('shop', { seek_order: 'read', cancel_order: 'write' });
  const { live_now: now } = (await send('GET', '/v1/profiles/careful')).body.profile;
  expect([now.tools, now.warnings.toSorted()]).toEqual([
    1,
    [
      expect.stringContaining('empty__later'),
      expect.stringContaining('shop__get_order is in no live release'),
      expect.stringContaining('shop__get_order, which is renamed to order'),
      expect.stringContaining('shop__seek_order is new'),
    ],
  ]);
  expect((await send('PATCH', '/v1/profiles/careful', { name: 'Careful' })).status).toBe(200);
  const tools = { include: ['shop__*_order'] };
  const again = await send('PATCH', '/v1/profiles/careful', { tools, renames: {} });
  expect(again.body.profile.live_now).toMatchObject({ tools: 2, warnings: [] });
});

test('slugs are shared with servers, and another tenant’s profile is not there', async () => {
  expect((await create('shop')).status).toBe(409);
  expect((await create('mine')).status).toBe(201);
  expect((await create('mine')).status).toBe(409);
  expect((await send('POST', '/v1/servers', { slug: 'mine', name: 'x' })).status).toBe(409);
  const other = await api.newTenant();
  expect((await api.send('GET', '/v1/profiles/mine', { key: other.key })).status).toBe(404);
  expect((await create('mcp', { search: true })).body.profile.urls.mcp).toMatch(/\/t\/[^/]+\/mcp$/);
});
