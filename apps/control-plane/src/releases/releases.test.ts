import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { TOOL_SOURCE } from '../testing/route-examples.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane({ runtime: true });
  tenant = await api.newTenant();
  await api.send('POST', '/v1/servers', { key: tenant.key, body: { slug: 'shop', name: 'Shop' } });
});

afterAll(() => api.stop());

const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'Shop', version: '1' },
  servers: [{ url: 'https://shop.example.com' }],
  paths: {
    '/items': { get: { operationId: 'listItems', summary: 'List', responses: { 200: { description: 'ok' } } } },
  },
};

const get = (path: string) => api.send('GET', path, { key: tenant.key });
const post = (path: string, body?: unknown) =>
  api.send('POST', path, { key: tenant.key, ...(body === undefined ? {} : { body }) });
const build = (source: unknown, publish = false) => post('/v1/servers/shop/releases', { source, publish });

/** Does to a release what publishing it does. */
async function makeLive(releaseId: string): Promise<void> {
  await api.control.asTenant(tenant.id, async (tx) => {
    await tx.query(`update releases set state = 'superseded' where state = 'live'`);
    await tx.query(`update releases set state = 'live', published_at = now() where id = $1`, [releaseId]);
    await tx.query(
      `update servers set previous_release_id = live_release_id, live_release_id = $1 where slug = 'shop'`,
      [releaseId],
    );
  });
}

async function jobs(): Promise<Array<{ name: string; payload: { releaseId: string; requestedBy: unknown } }>> {
  const { Client } = await import('pg');
  const owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  const { rows } = await owner.query(`select name, payload from outbox order by created_at`);
  await owner.end();
  return rows;
}

describe('building', () => {
  test('declarative tools become a release with a number, a digest and a report', async () => {
    const answer = await build(TOOL_SOURCE);
    expect(answer).toMatchObject({
      status: 201,
      body: {
        release: { kind: 'http', state: 'ready', tools: 1, published_at: null, rejection: null },
        report: { tools: 1, skipped: [], renamed: [] },
        warnings: [],
      },
    });
    const shown = await get(`/v1/servers/shop/releases/${answer.body.release.id}`);
    expect(shown.body.release).toMatchObject({ ...answer.body.release, tool_names: ['ping'], report: { tools: 1 } });
  });

  test('the same source again is a further release with the same digest', async () => {
    const [first, second] = [(await build(TOOL_SOURCE)).body.release, (await build(TOOL_SOURCE)).body.release];
    expect(second.digest).toBe(first.digest);
    expect(second.number).toBe(first.number + 1);
  });

  test('an OpenAPI document is taken inline and from an upload, as JSON and as YAML', async () => {
    const yaml =
      'openapi: 3.1.0\ninfo: {title: Shop, version: "1"}\nservers: [{url: "https://shop.example.com"}]\npaths:\n  /items:\n    get: {operationId: listItems, responses: {"200": {description: ok}}}\n';
    const upload = await api.send('POST', '/v1/artefacts', {
      key: tenant.key,
      headers: { 'content-type': 'application/yaml' },
      body: yaml,
    });
    const sources = [
      { kind: 'openapi', document: DOCUMENT },
      { kind: 'openapi', document: JSON.stringify(DOCUMENT) },
      { kind: 'openapi', document: yaml },
      { kind: 'openapi', artefact: upload.body.digest },
    ];
    for (const source of sources) {
      const answer = await build(source);
      expect([answer.status, answer.body.release?.tools, answer.text]).toEqual([201, 1, expect.any(String)]);
    }
  });

  test('a document that cannot be used is 422 with pointers, and nothing is stored', async () => {
    const before = (await get('/v1/servers/shop/releases')).text;
    const answer = await build({
      kind: 'openapi',
      document: { openapi: '3.1.0', info: {}, paths: { '/a': { get: 7 } } },
    });
    expect([answer.status, answer.body.code]).toEqual([422, 'unprocessable']);
    expect(answer.body.errors.length).toBeGreaterThan(0);
    expect((await get('/v1/servers/shop/releases')).text).toBe(before);
  });

  test('characters that the database cannot hold are no reason to fail', async () => {
    const paths = {
      '/a\u0000b': { get: { operationId: 'a\u0000\ud800b', responses: { 200: { description: 'ok' } } } },
      ...DOCUMENT.paths,
    };
    const answer = await build({ kind: 'openapi', document: { ...DOCUMENT, paths } });
    expect([201, 422]).toContain(answer.status);
  });

  test('an upload of another tenant does not exist here', async () => {
    const other = await api.newTenant();
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(DOCUMENT);
    const upload = await api.send('POST', '/v1/artefacts', { key: other.key, headers, body });
    const answer = await build({ kind: 'openapi', artefact: upload.body.digest });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: '/source/artefact' }] } });
  });

  test.each([
    ['no document at all', { kind: 'openapi' }],
    ['two documents', { kind: 'openapi', document: DOCUMENT, artefact: `sha256:${'0'.repeat(64)}` }],
    ['a command to run', { kind: 'stdio', command: 'id' }],
    ['an unknown field', { ...TOOL_SOURCE, command: 'id' }],
    ['no tools', { kind: 'http', tools: [] }],
  ])('a source with %s is 400', async (_, source) => {
    expect((await build(source)).status).toBe(400);
  });

  test('a secret that is named but not written yet is warned about', async () => {
    const credential = {
      id: 'c',
      secret: 'shop-key',
      in: 'header',
      name: 'X-Key',
      origins: ['https://api.example.com'],
    };
    const source = {
      ...TOOL_SOURCE,
      credentials: [credential],
      tools: TOOL_SOURCE.tools.map((tool) => ({ ...tool, credentials: ['c'] })),
    };
    expect((await build(source)).body.warnings).toEqual([expect.stringContaining('shop-key')]);
    await api.send('PUT', '/v1/secrets/shop-key', { key: tenant.key, body: { value: 'v' } });
    expect((await build(source)).body.warnings).toEqual([]);
  });

  test('builds at once get numbers of their own, and those beyond two are told to wait', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => build(TOOL_SOURCE)));
    const built = answers.filter((answer) => answer.status === 201);
    expect(new Set(built.map((answer) => answer.body.release.number)).size).toBe(built.length);
    const refused = answers.filter((answer) => answer.status === 429);
    expect(refused.length + built.length).toBe(6);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.headers.get('retry-after')).toBe('5');
  });
});

describe('publishing', () => {
  test('asking enqueues one job in the name of who asked; asking again changes nothing', async () => {
    const { release } = (await build(TOOL_SOURCE)).body;
    const path = `/v1/servers/shop/releases/${release.id}/publish`;
    for (let times = 0; times < 3; times += 1) {
      expect(await post(path)).toMatchObject({
        status: 202,
        body: { release: { id: release.id, state: 'publishing' } },
      });
    }
    const own = (await jobs()).filter((job) => job.payload.releaseId === release.id);
    expect(own).toMatchObject([{ name: 'publish-release', payload: { requestedBy: { kind: 'api-key' } } }]);
  });

  test('building and publishing in one request commits both', async () => {
    const { release } = (await build(TOOL_SOURCE, true)).body;
    expect(release.state).toBe('publishing');
    expect((await jobs()).some((job) => job.payload.releaseId === release.id)).toBe(true);
    const audit = await get(`/v1/audit?target=release:${release.id}`);
    expect(audit.body.records.map((record: { event: string }) => record.event)).toEqual([
      'release.publish_requested',
      'release.created',
    ]);
  });

  test('the live release stays as it is, and a rejected one is checked again', async () => {
    const { release } = (await build(TOOL_SOURCE)).body;
    await makeLive(release.id);
    expect((await post(`/v1/servers/shop/releases/${release.id}/publish`)).body.release.state).toBe('live');
    const rejected = (await build(TOOL_SOURCE)).body.release;
    await api.control.asTenant(tenant.id, (tx) =>
      tx.query(`update releases set state = 'rejected', rejection = '{"reason":"no"}' where id = $1`, [rejected.id]),
    );
    const answer = await post(`/v1/servers/shop/releases/${rejected.id}/publish`);
    expect(answer).toMatchObject({ status: 202, body: { release: { state: 'publishing', rejection: null } } });
  });

  test('a publish that waits is withdrawn by a rollback and by asking for the live release', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 3; count += 1) ids.push((await build(TOOL_SOURCE)).body.release.id);
    const [first = '', second = '', waiting = ''] = ids;
    for (const id of [first, second]) await makeLive(id);
    const state = async (): Promise<string> => (await get(`/v1/servers/shop/releases/${waiting}`)).body.release.state;
    for (const path of [`/v1/servers/shop/releases/${second}/publish`, '/v1/servers/shop/rollback']) {
      await post(`/v1/servers/shop/releases/${waiting}/publish`);
      expect(await state()).toBe('publishing');
      await post(path);
      expect(await state()).toBe('ready');
    }
  });

  test('a release of another server of the same tenant is not found', async () => {
    await post('/v1/servers', { slug: 'second', name: 'Second' });
    const { release } = (await build(TOOL_SOURCE)).body;
    expect((await get(`/v1/servers/second/releases/${release.id}`)).status).toBe(404);
    expect((await post(`/v1/servers/second/releases/${release.id}/publish`)).status).toBe(404);
  });
});

test('rolling back exchanges the live release with the one before, and back again', async () => {
  await post('/v1/servers', { slug: 'fresh', name: 'Fresh' });
  expect((await post('/v1/servers/fresh/rollback')).body).toMatchObject({ status: 409, code: 'conflict' });
  const [first, second] = [(await build(TOOL_SOURCE)).body.release, (await build(TOOL_SOURCE)).body.release];
  await makeLive(first.id);
  await makeLive(second.id);
  for (const [live, previous] of [
    [first, second],
    [second, first],
  ]) {
    const { body } = await post('/v1/servers/shop/rollback');
    expect(body.server).toMatchObject({ live_release: { id: live.id }, previous_release: { id: previous.id } });
    expect((await get(`/v1/servers/shop/releases/${live.id}`)).body.release.state).toBe('live');
    expect((await get(`/v1/servers/shop/releases/${previous.id}`)).body.release.state).toBe('superseded');
  }
  const audit = await get(`/v1/audit?event=release.rolled_back&target=release:${first.id}`);
  expect(audit.body.records).toMatchObject([{ details: { from: second.id } }]);
});

test('without a runtime a build is 503 and nothing is stored', async () => {
  const alone = await startControlPlane();
  const guest = await alone.newTenant();
  await alone.send('POST', '/v1/servers', { key: guest.key, body: { slug: 'shop', name: 'S' } });
  const answer = await alone.send('POST', '/v1/servers/shop/releases', {
    key: guest.key,
    body: { source: TOOL_SOURCE },
  });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  const list = await alone.send('GET', '/v1/servers/shop/releases', { key: guest.key });
  expect(list.body).toEqual({ releases: [], next_cursor: null });
  await alone.stop();
});
