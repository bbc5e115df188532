import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Client } from 'pg';
import type { OpenApiDocument } from './openapi-document/build-document.js';
import { startControlPlane, type ControlPlane, type TestTenant } from './testing/control-plane.fixture.js';
import { pathToNothing } from './testing/path-to-nothing.fixture.js';
import { rowCounts } from './testing/row-counts.fixture.js';
import { isForPeople } from './testing/member-examples.fixture.js';
import { PUBLIC_EXAMPLES, ROUTE_EXAMPLES } from './testing/route-examples.fixture.js';
import type { MakeExample } from './testing/example.fixture.js';

interface ListedRoute {
  readonly route: string;
  readonly method: string;
  readonly pattern: string;
  readonly permission: string | null;
  readonly schema: object | undefined;
  readonly takes: 'json' | 'bytes' | 'nothing';
}

let api: ControlPlane;
let owner: Client;
let tenant: TestTenant;
let other: TestTenant;
let listed: ListedRoute[];
let agentKey: string;
let ajv: Ajv2020;

const ROUTES = Object.keys(ROUTE_EXAMPLES);
const PUBLIC = new Set(Object.keys(PUBLIC_EXAMPLES));
const CLOSED = ROUTES.filter((route) => !PUBLIC.has(route));
const TENANTS = CLOSED.filter((route) => route.includes(' /v1/'));
const OPERATORS = CLOSED.filter((route) => route.includes(' /admin/'));
const WITH_PARAMETERS = CLOSED.filter((route) => route.includes('{'));
// Whoever writes such a name creates a thing of their own: it is free in every tenant.
const CREATES_ITS_NAME = new Set([
  'PUT /v1/secrets/{name}',
  'PUT /v1/call-limits/{name}',
  'PUT /v1/policies/{name}',
  'PUT /v1/connectors/{connector}',
  'PUT /admin/v1/plans/{name}',
]);

beforeAll(async () => {
  api = await startControlPlane({ runtime: true, dedicated: true });
  owner = await api.connectOwner();
  [tenant, other] = await Promise.all([api.newTenant('CANARY-A'), api.newTenant('CANARY-B')]);
  const roomy = {
    calls_per_minute: 100,
    concurrent_calls: 10,
    servers_max: 1_000,
    worker_memory_mb: 256,
    reason: 'room',
  };
  await api.send('PUT', '/admin/v1/plans/free', { key: api.operatorKey, body: roomy });
  const key = await api.send('POST', '/v1/api-keys', { key: tenant.key, body: { name: 'agent', scopes: ['mcp'] } });
  agentKey = key.body.text;
  const document = (await api.send('GET', '/v1/openapi.json')).body;
  ajv = new Ajv2020({ strict: false, schemas: [{ ...document, $id: 'https://document.test/openapi' }] });
  formats.default(ajv);
  // What agents hold for a person is answered by the authorization server, and tested there.
  const paths = Object.entries<OpenApiDocument['paths'][string]>(document.paths);
  const own = paths.filter(([pattern]) => !pattern.startsWith('/v1/me/grants'));
  listed = own.flatMap(([pattern, item]) =>
    Object.entries(item).map(([method, operation]) => {
      const success = Object.keys(operation.responses).find((status) => status.startsWith('2'));
      const types = Object.keys(operation.requestBody?.content ?? {});
      return {
        route: `${method.toUpperCase()} ${pattern}`,
        method: method.toUpperCase(),
        pattern,
        permission: operation['x-permission'],
        schema: operation.responses[success ?? '']?.content?.['application/json']?.schema,
        takes: types.length === 0 ? 'nothing' : types.join() === 'application/json' ? 'json' : 'bytes',
      };
    }),
  );
});

afterAll(() => api?.stop());

function routeOf(name: string): ListedRoute {
  const route = listed.find((candidate) => candidate.route === name);
  if (route === undefined) throw new Error(`${name} is not in the document`);
  return route;
}

async function exampleOf(name: string) {
  const make: MakeExample | undefined = ROUTE_EXAMPLES[name];
  if (make === undefined) throw new Error(`${name} has no example`);
  return make(api, tenant);
}

const kept = new Map<string, ReturnType<typeof exampleOf>>();

/** One example for all requests that are refused: they change nothing, so it stays as good as new. */
function refusedExampleOf(name: string): ReturnType<typeof exampleOf> {
  const example = kept.get(name) ?? exampleOf(name);
  kept.set(name, example);
  return example;
}

const keyFor = (name: string): string => (name.includes(' /admin/') ? api.operatorKey : tenant.key);

/** A schema's answer as the document describes it. */
function validate(route: ListedRoute, body: unknown): void {
  const schema = JSON.parse(JSON.stringify(route.schema).replaceAll('"#/', '"https://document.test/openapi#/'));
  const check = ajv.compile(schema);
  if (!check(body)) throw new Error(`${route.route}: ${JSON.stringify(check.errors)}`);
}

test('every route has an example, and every example a route', () => {
  expect(listed.map((route) => route.route).toSorted()).toEqual(ROUTES.toSorted());
});

test('who may call what is as reviewed', () => {
  expect(listed.map((route) => `${route.route} ${route.permission ?? 'public'}`).toSorted()).toMatchSnapshot();
});

describe.each(ROUTES)('%s', (name) => {
  test('answers a good request as its document says', async () => {
    const { path, status, ...sent } = await exampleOf(name);
    const key = PUBLIC.has(name)
      ? undefined
      : isForPeople(name)
        ? await api.tokenOf(tenant, tenant.ownerId)
        : keyFor(name);
    const answer = await api.send(routeOf(name).method, path, { ...(key === undefined ? {} : { key }), ...sent });
    expect([answer.status, answer.status === status ? '' : answer.text]).toEqual([status, '']);
    // It closes the tenant for everything else here.
    if (name === 'DELETE /v1/tenant')
      await api.send('POST', '/v1/tenant/restore', { key: await api.tokenOf(tenant, tenant.ownerId) });
    const route = routeOf(name);
    if (route.schema === undefined) expect(answer.body).toBeUndefined();
    else validate(route, answer.body);
    // What describes the API is the same for everybody, and asked for again by its tag.
    const describes = /^GET \/v1\/(?:openapi\.json|docs(?:\/errors)?)$/.test(name);
    expect(answer.headers.get('cache-control')).toBe(describes ? 'no-cache' : 'no-store');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.text).not.toContain('SECRET-CANARY');
  });

  test('refuses what it does not understand with 400 and changes nothing', async () => {
    const { path, status: _, ...sent } = await refusedExampleOf(name);
    const { method, takes } = routeOf(name);
    const key = { key: isForPeople(name) ? await api.tokenOf(tenant, tenant.ownerId) : keyFor(name) };
    const before = await rowCounts(owner);
    const bad: Array<[string, typeof sent]> = [[`${path}${path.includes('?') ? '&' : '?'}unknown=1`, sent]];
    if (takes === 'json') {
      const json = { headers: { 'content-type': 'application/json' } };
      bad.push([path, { ...json, body: '{"cut":' }], [path, { ...json, body: '[]' }], [path, { ...json, body: '"x"' }]);
      bad.push([path, { body: { ...(sent.body as object), unknown_field: 1 } }]);
      bad.push([path, { ...json, body: `${'['.repeat(500)}${']'.repeat(500)}` }]);
    } else if (takes === 'bytes') bad.push([path, { ...sent, body: '' }]);
    else if (method !== 'GET') bad.push([path, { body: {} }]);
    if (!PUBLIC.has(name)) bad.push([path, { ...sent, headers: { ...sent.headers, 'x-api-key': 'whk_two' } }]);
    for (const [where, what] of bad) {
      const answer = await api.send(method, where, { ...key, ...what });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        400,
        'application/problem+json; charset=utf-8',
      ]);
      const { status, code, docs } = answer.body;
      expect([status, docs.endsWith(`/v1/docs/errors#${code}`)]).toEqual([400, true]);
    }
    expect(await rowCounts(owner)).toEqual(before);
  });
});

describe.each(CLOSED)('%s', (name) => {
  test('answers 401 without valid credentials and changes nothing', async () => {
    const { path, status: _, key: __, ...sent } = await refusedExampleOf(name);
    const wrong = name.includes(' /admin/') ? tenant.key : api.operatorKey;
    const before = await rowCounts(owner);
    for (const key of [undefined, 'nonsense', `${tenant.key.slice(0, -4)}AAAA`, 'a.b.c', wrong]) {
      const answer = await api.send(routeOf(name).method, path, { ...sent, ...(key === undefined ? {} : { key }) });
      expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    }
    expect(await rowCounts(owner)).toEqual(before);
  });

  test('refuses credentials in its URL', async () => {
    const { path, status: _, key: __, ...sent } = await refusedExampleOf(name);
    const where = `${path}${path.includes('?') ? '&' : '?'}api_key=${keyFor(name)}`;
    expect((await api.send(routeOf(name).method, where, sent)).status).toBe(400);
  });
});

describe.each(TENANTS)('%s', (name) => {
  test('answers 403 to a key for agents, and to a member whose role has nothing to do here', async () => {
    const { path, status: _, ...sent } = await refusedExampleOf(name);
    const user = await api.tokenOf(tenant, await api.newMember(tenant, 'user'));
    const before = await rowCounts(owner);
    // What is a person's own is every member's.
    for (const key of name.includes(' /v1/me/') ? [agentKey] : [agentKey, user]) {
      const answer = await api.send(routeOf(name).method, path, { ...sent, key });
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
    }
    expect(await rowCounts(owner)).toEqual(before);
  });

  test('shows the other tenant nothing', async () => {
    const { path, status: _, ...sent } = await refusedExampleOf(name);
    const answer = await api.send(routeOf(name).method, path, { ...sent, key: other.key });
    expect(answer.text).not.toMatch(new RegExp(`CANARY-A|${tenant.id}|${tenant.slug}|${tenant.ownerId}`));
  });
});

describe.each(OPERATORS)('%s', (name) => {
  test('is closed to a tenant’s owner', async () => {
    const { path, status: _, ...sent } = await refusedExampleOf(name);
    const key = await api.tokenOf(tenant, tenant.ownerId);
    expect((await api.send(routeOf(name).method, path, { ...sent, key })).status).toBe(401);
  });
});

describe.each(WITH_PARAMETERS.filter((route) => !CREATES_ITS_NAME.has(route)))('%s', (name) => {
  test('answers the same 404 for what is another tenant’s, what never was and what cannot be', async () => {
    const { path, status: _, ...sent } = await refusedExampleOf(name);
    const { method, pattern } = routeOf(name);
    const own = isForPeople(name) ? await api.tokenOf(other, other.ownerId) : other.key;
    const key = name.includes(' /admin/') ? api.operatorKey : own;
    const before = await rowCounts(owner);
    const places = [
      pathToNothing(pattern, path),
      path.replace(/\/v1\/([a-z-]+)\/[^/?]+/, '/v1/$1/%00'),
      path.replace(/\/v1\/([a-z-]+)\/[^/?]+/, `/v1/$1/${'x'.repeat(2_000)}`),
      ...(name.includes(' /admin/') ? [] : [path]),
    ];
    const answers: Array<Awaited<ReturnType<typeof api.send>>> = [];
    for (const place of places) answers.push(await api.send(method, place, { ...sent, key }));
    expect(answers.map((answer) => answer.status)).toEqual(places.map(() => 404));
    expect(new Set(answers.map(({ text, body }) => text.replace(body.request_id, 'its id'))).size).toBe(1);
    expect(await rowCounts(owner)).toEqual(before);
  });
});
