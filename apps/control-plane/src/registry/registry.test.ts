import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let acme: TestTenant;
let other: TestTenant;

const ENTRY = { visibility: 'everyone', title: 'Bookshop', description: 'Finds and orders books.' };
const NOBODY = '/registry/nobody-at-all/v0/servers';

beforeAll(async () => {
  api = await startControlPlane();
  [acme, other] = await Promise.all([api.newTenant(), api.newTenant()]);
  await live(acme, 'books', '2.1.0');
  await live(acme, 'inner', '1.0.0');
  await live(other, 'weather', '1.0.0');
});
afterAll(() => api.stop());

async function live(tenant: TestTenant, slug: string, version: string): Promise<void> {
  await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug, name: `The ${slug}` } });
  const digest = `sha256:${newId().replaceAll('-', '').repeat(2)}`;
  await api.control.asTenant(tenant.id, async (tx) => {
    await tx.query(
      `insert into blobs (tenant_id, digest, media_type, bytes, content) values ($1, $2, 'application/json', 2, '{}')`,
      [tenant.id, digest],
    );
    await tx.query(
      `with made as (
         insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools, version)
         select $1, $2, s.id, 1, 'http', $3, 'live', '{}', '{}', '{}', $5
         from servers s where s.slug = $4 returning id, server_id)
       update servers set live_release_id = made.id from made where servers.id = made.server_id`,
      [tenant.id, newId(), digest, slug, version],
    );
  });
}

const entryOf = (slug: string): string => `/v1/servers/${slug}/registry-entry`;
const names = (body: { servers: Array<{ server: { name: string } }> }): string[] =>
  body.servers.map(({ server }) => server.name.replace(/^.*\//, ''));

test('what a tenant makes public is in the public registry and its own, and nothing else is', async () => {
  const made = await api.send('PUT', entryOf('books'), { key: acme.key, body: ENTRY });
  expect(made).toMatchObject({ status: 200, body: { ...ENTRY, name: expect.stringContaining(`/${acme.slug}.books`) } });
  await api.send('PUT', entryOf('inner'), { key: acme.key, body: { ...ENTRY, visibility: 'tenant', title: 'Inner' } });
  await api.send('PUT', entryOf('weather'), { key: other.key, body: { ...ENTRY, title: 'Weather' } });

  const all = await api.send('GET', '/v0/servers?search=finds');
  expect(names(all.body).toSorted()).toEqual([`${acme.slug}.books`, `${other.slug}.weather`].toSorted());
  expect(
    all.body.servers.find(({ server }: { server: { title: string } }) => server.title === 'Bookshop'),
  ).toMatchObject({
    server: {
      version: '2.1.0',
      description: ENTRY.description,
      remotes: [{ type: 'streamable-http', url: expect.stringMatching(new RegExp(`/t/${acme.slug}/books/mcp$`)) }],
    },
    _meta: { 'io.modelcontextprotocol.registry/official': { status: 'active', isLatest: true } },
  });
  const ofAcme = await api.send('GET', `/registry/${acme.slug}/v0/servers`);
  expect(names(ofAcme.body)).toEqual([`${acme.slug}.books`]);
  const own = await api.send('GET', '/v1/registry/v0/servers', { key: acme.key });
  expect(names(own.body)).toEqual([`${acme.slug}.books`, `${acme.slug}.inner`]);
  expect((await api.send('GET', '/v1/registry/v0/servers')).status).toBe(401);
});

test('pages follow each other, and a version is found by its name', async () => {
  const first = await api.send('GET', '/v0/servers?limit=1&version=latest');
  const second = await api.send('GET', `/v0/servers?limit=1&version=latest&cursor=${first.body.metadata.nextCursor}`);
  expect(new Set([...names(first.body), ...names(second.body)]).size).toBe(2);
  expect(second.body.metadata.nextCursor).toBeUndefined();

  const name = encodeURIComponent((await api.send('GET', entryOf('books'), { key: acme.key })).body.name);
  expect((await api.send('GET', `/v0/servers/${name}/versions`)).body.servers).toHaveLength(1);
  expect((await api.send('GET', `/v0/servers/${name}/versions/2.1.0`)).body.server.version).toBe('2.1.0');
  expect(await api.send('GET', `/v0/servers/${name}/versions/9.9.9`)).toMatchObject({ status: 404 });
  const inner = name.replace('books', 'inner');
  expect(await api.send('GET', `/v0/servers/${inner}/versions/latest`)).toMatchObject({ status: 404 });
});

test('each registry answers for the versions of what is in it, and of nothing else', async () => {
  const books = encodeURIComponent((await api.send('GET', entryOf('books'), { key: acme.key })).body.name);
  const inner = books.replace('books', 'inner');
  const weather = encodeURIComponent((await api.send('GET', entryOf('weather'), { key: other.key })).body.name);
  const asked = async (registry: string, name: string, key?: string) => {
    const given = key === undefined ? {} : { key };
    const all = await api.send('GET', `${registry}/v0/servers/${name}/versions`, given);
    const latest = await api.send('GET', `${registry}/v0/servers/${name}/versions/latest`, given);
    return [all.status, latest.status, all.body.servers?.length, latest.body.server?.version];
  };
  const none = [404, 404, undefined, undefined];
  expect(await asked(`/registry/${acme.slug}`, books)).toEqual([200, 200, 1, '2.1.0']);
  expect(await asked(`/registry/${acme.slug}`, inner)).toEqual(none);
  expect(await asked(`/registry/${acme.slug}`, weather)).toEqual(none);
  expect(await asked('/v1/registry', inner, acme.key)).toEqual([200, 200, 1, '1.0.0']);
  expect(await asked('/v1/registry', books, other.key)).toEqual(none);
  expect(await asked('/v1/registry', 'com.example%2Fa.b', acme.key)).toEqual(none);
  expect((await api.send('GET', `/v1/registry/v0/servers/${books}/versions/9.9.9`, { key: acme.key })).status).toBe(
    404,
  );
  expect((await api.send('GET', `/v1/registry/v0/servers/${books}/versions`)).status).toBe(401);
});

test('a tenant that has made nothing public has no public registry, like one that does not exist', async () => {
  const { slug } = await api.newTenant();
  const [hidden, unknown] = [await api.send('GET', `/registry/${slug}/v0/servers`), await api.send('GET', NOBODY)];
  expect([hidden.status, unknown.status]).toEqual([404, 404]);
  expect(hidden.body.detail).toBe(unknown.body.detail.replace('nobody-at-all', slug));
  expect((await api.send('GET', `/registry/${acme.slug}/v0/servers?search=no-such`)).body.servers).toEqual([]);
});

test('a suspended tenant’s servers, and those that were withdrawn, cannot be found', async () => {
  const name = encodeURIComponent((await api.send('GET', entryOf('weather'), { key: other.key })).body.name);
  const reason = 'a test';
  await api.send('POST', `/admin/v1/tenants/${other.slug}/suspend`, { key: api.operatorKey, body: { reason } });
  expect(await api.send('GET', `/v0/servers/${name}/versions/latest`)).toMatchObject({ status: 404 });
  await api.send('DELETE', entryOf('books'), { key: acme.key });
  expect((await api.send('GET', `/registry/${acme.slug}/v0/servers?limit=7`)).status).toBe(404);
});

test('an environment, a foreign server and a text that is too long are refused', async () => {
  expect(await api.send('PUT', entryOf('books~staging'), { key: acme.key, body: ENTRY })).toMatchObject({
    status: 422,
  });
  expect(await api.send('PUT', entryOf('weather'), { key: acme.key, body: ENTRY })).toMatchObject({ status: 404 });
  const long = { ...ENTRY, description: 'x'.repeat(101) };
  expect(await api.send('PUT', entryOf('books'), { key: acme.key, body: long })).toMatchObject({ status: 400 });
});
