import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane({ runtime: true });
  tenant = await api.newTenant();
});
afterAll(() => api.stop());

const post = (path: string, body?: unknown) =>
  api.send('POST', path, { key: tenant.key, ...(body === undefined ? {} : { body }) });
const tool = (name: string) => ({ name, description: 'Does.', method: 'GET', url: `https://api.example.com/${name}` });

async function newServer(): Promise<string> {
  const slug = `s-${Math.random().toString(36).slice(2, 10)}`;
  await post('/v1/servers', { slug, name: 'S' });
  return slug;
}
const build = (slug: string, names: string[], more: object = {}) =>
  post(`/v1/servers/${slug}/releases`, { source: { kind: 'http', tools: names.map(tool) }, ...more });

/** Makes a release live as publishing would. */
const makeLive = (slug: string, release: string): Promise<unknown> =>
  api.control.asTenant(tenant.id, async (tx) => {
    await tx.query(`update releases set state = 'live' where id = $1`, [release]);
    await tx.query(`update servers set live_release_id = $2 where slug = $1`, [slug, release]);
  });

test('a release bears a semantic version that no other of its server bears', async () => {
  const slug = await newServer();
  expect((await build(slug, ['a'], { version: '1.2.3-rc.1' })).body.release.version).toBe('1.2.3-rc.1');
  expect((await build(slug, ['a'])).body.release.version).toBeNull();
  const again = await build(slug, ['a'], { version: '1.2.3-rc.1' });
  expect([again.status, again.body.detail]).toEqual([409, expect.stringContaining('1.2.3-rc.1 already')]);
  expect((await build(await newServer(), ['a'], { version: '1.2.3-rc.1' })).status).toBe(201);
  for (const version of ['1', 'v1.0.0', '1.0.0+b', '01.0.0', '123456.0.0', ' 1.0.0', '1.0.0-', '', 1]) {
    expect((await build(slug, ['a'], { version })).status).toBe(400);
  }
});

test('a release pins every tool’s definition by its hash', async () => {
  const slug = await newServer();
  const digestsOf = async (names: string[]) => {
    const { id } = (await build(slug, names)).body.release;
    return (await api.send('GET', `/v1/servers/${slug}/releases/${id}`, { key: tenant.key })).body.release.tool_digests;
  };
  const [first, second] = [await digestsOf(['a', 'b']), await digestsOf(['b', 'c'])];
  expect(first).toEqual(['a', 'b'].map((name) => ({ name, sha256: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })));
  expect(second[0]).toEqual(first[1]);
  expect(second[1].sha256).not.toBe(first[0].sha256);
});

test('publishing what breaks agents is refused until somebody acknowledges it, which the audit log says', async () => {
  const slug = await newServer();
  await makeLive(slug, (await build(slug, ['a', 'b'], { version: '1.0.0' })).body.release.id);
  const { id } = (await build(slug, ['a'], { version: '1.1.0' })).body.release;
  const path = `/v1/servers/${slug}/releases/${id}/publish`;
  const refused = await post(path);
  expect([refused.status, refused.body.detail]).toEqual([
    409,
    'This breaks agents of the live release (tools removed: b). Publish with "acknowledge_breaking": true if that is ' +
      'meant. Or build it with a major version above 1, which keeps the live one reachable.',
  ]);
  expect((await build(slug, ['a'], { publish: true })).status).toBe(409);
  expect((await post(path, { acknowledge_breaking: true })).body.release.state).toBe('publishing');
  const audit = await api.send('GET', '/v1/audit?event=release.publish_requested', { key: tenant.key });
  expect(audit.body.records[0].details).toMatchObject({ acknowledge_breaking: true, effect: 'breaking' });
});

test('a new major version needs no acknowledgement; what only adds needs nothing', async () => {
  const slug = await newServer();
  await makeLive(slug, (await build(slug, ['a'], { version: '1.0.0' })).body.release.id);
  expect((await build(slug, ['a', 'b'], { publish: true })).status).toBe(201);
  expect((await build(slug, ['c'], { version: '2.0.0', publish: true })).status).toBe(201);
  expect((await build(slug, ['c'], { version: '0.9.0', publish: true })).status).toBe(409);
  for (const until of ['yesterday', '2001-01-01T00:00:00Z', '2999-01-01T00:00:00Z']) {
    expect((await build(slug, ['c'], { previous_major_until: until })).status).toBe(400);
  }
});
