import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { validate } from '@readme/openapi-parser';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { OpenApiDocument } from './build-document.js';
import { startControlPlane, type ControlPlane } from '../testing/control-plane.fixture.js';

let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});

afterAll(() => api.stop());

test('the document is valid OpenAPI 3.1 without dangling references', async () => {
  const { body, headers } = await api.send('GET', '/v1/openapi.json');
  expect(headers.get('content-type')).toContain('application/json');
  expect(body.openapi).toBe('3.1.0');
  expect(await validate(structuredClone(body))).toMatchObject({ valid: true });
  const references = [...JSON.stringify(body).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]);
  expect(references.filter((name) => !(`${name}` in body.components.schemas))).toEqual([]);
});

test('every refusal names where it is explained, and the page explains every code', async () => {
  const refused = await api.send('GET', '/v1/tenant');
  expect(refused.body.docs).toBe('http://localhost:4000/v1/docs/errors#unauthenticated');
  const { text, headers } = await api.send('GET', '/v1/docs/errors');
  expect([headers.get('content-type'), text.length < 50_000]).toEqual(['text/html; charset=utf-8', true]);
  const sections = [...text.matchAll(/<section id="(\w+)".*?<\/h3><p>(.*?)<\/p><p>(.*?)<\/p><\/section>/g)];
  expect(sections.map(([, code]) => code)).toEqual(Object.keys(ERROR_CATALOGUE));
  for (const [, , title, help = ''] of sections)
    expect([help.length > 60, help.includes(title ?? '')]).toEqual([true, false]);
  const { text: page } = await api.send('GET', '/v1/docs');
  for (const code of Object.keys(ERROR_CATALOGUE)) expect(page).toContain(`href="/v1/docs/errors#${code}"`);
});

test.each(['/v1/openapi.json', '/v1/docs', '/v1/docs/errors'])('%s is compressed, and not sent again', async (path) => {
  const plain = await api.send('GET', path, { headers: { 'accept-encoding': 'identity' } });
  expect([plain.status, plain.headers.get('content-encoding')]).toEqual([200, null]);
  const etag = plain.headers.get('etag') ?? '';
  for (const encoding of ['br', 'gzip']) {
    const packed = await api.send('GET', path, { headers: { 'accept-encoding': encoding } });
    expect([packed.headers.get('content-encoding'), packed.text === plain.text]).toEqual([encoding, true]);
    expect(Number(packed.headers.get('content-length')) * 2).toBeLessThan(plain.text.length);
    expect([packed.headers.get('etag'), packed.headers.get('vary')]).toEqual([etag, 'accept-encoding']);
  }
  const known = await api.send('GET', path, { headers: { 'if-none-match': etag } });
  expect([known.status, known.text, known.headers.get('etag')]).toEqual([304, '', etag]);
  expect((await api.send('GET', path, { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
});

test('what the authorization server answers below /v1 is in the document, for access tokens only', async () => {
  const { paths } = (await api.send('GET', '/v1/openapi.json')).body;
  const [list, end] = [paths['/v1/me/grants'].get, paths['/v1/me/grants/{id}'].delete];
  expect([list.security, end.security]).toEqual([[{ accessToken: [] }], [{ accessToken: [] }]]);
  expect(Object.keys(end.responses)).toEqual(expect.arrayContaining(['204', '401', '403', '404', '429']));
});

test('every operation has an id of its own, a summary and its refusals', async () => {
  const { body } = await api.send('GET', '/v1/openapi.json');
  const operations = Object.values<OpenApiDocument['paths'][string]>(body.paths).flatMap((item) => Object.values(item));
  expect(new Set(operations.map((operation) => operation.operationId)).size).toBe(operations.length);
  for (const operation of operations) {
    expect(operation.summary).toMatch(/\.$/);
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400']));
  }
});

test('a body of which everything may be left out may itself be left out', async () => {
  const { body } = await api.send('GET', '/v1/openapi.json');
  const paths = Object.entries<OpenApiDocument['paths'][string]>(body.paths);
  const optional = paths.flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, { requestBody }]) =>
      requestBody?.required === false ? [`${method.toUpperCase()} ${path}`] : [],
    ),
  );
  expect(optional.toSorted()).toEqual([
    'PATCH /v1/identity-providers/{provider}',
    'PATCH /v1/profiles/{profile}',
    'PATCH /v1/servers/{server}/documents/{document}',
    'PATCH /v1/servers/{server}/probes/{probe}',
    'POST /v1/api-keys/{id}/rotation',
    'POST /v1/approvals/{approval}/approve',
    'POST /v1/approvals/{approval}/refuse',
    'POST /v1/clients/{client}/secret',
    'POST /v1/servers/{server}/drift/candidates/{candidate}/approve',
    'POST /v1/servers/{server}/probes/run',
    'POST /v1/servers/{server}/releases/{release}/publish',
    'POST /v1/webhooks/{webhook}/secret',
  ]);
  const tenant = await api.newTenant();
  const key = await api.tokenOf(tenant, tenant.ownerId);
  for (const route of optional) {
    const [method = '', path = ''] = route.replaceAll(/\{\w+\}/g, 'a0000000-0000-4000-8000-000000000000').split(' ');
    expect([route, (await api.send(method, path, { key })).status]).toEqual([route, 404]);
  }
});

test('the page names every route, loads nothing and allows nothing but its own style', async () => {
  const document = (await api.send('GET', '/v1/openapi.json')).body;
  const { text, headers } = await api.send('GET', '/v1/docs');
  expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
  for (const path of Object.keys(document.paths)) expect(text).toContain(path);
  const style = /<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  expect(headers.get('content-security-policy')).toContain(`default-src 'none'; style-src 'sha256-${hash}'`);
  expect(text.match(/<script|<link|<img|@import|url\(|style="|\son\w+="/)).toBeNull();
  expect(text).toMatch(/<html lang="en">/);
});

/** Lists that come whole, and what bounds them. */
const WITHOUT_PAGES: ReadonlyMap<string, string> = new Map([
  ['/admin/v1/tenants/{tenant}/data-key', 'a count for each table and key'],
  ['/admin/v1/tenants/{tenant}/legal-holds', 'a tenant has a hundred at most'],
  ['/admin/v1/emergency-keys', 'the hundred that were made last, open ones first'],
  ['/v0/servers/{name}/versions', 'the registry’s form has no pages here; a server has one version there'],
  [
    '/registry/{tenant}/v0/servers/{name}/versions',
    'the registry’s form has no pages here; a server has one version there',
  ],
  ['/v1/registry/v0/servers/{name}/versions', 'the registry’s form has no pages here; a server has one version there'],
  ['/v1/audit/events', 'the catalogue of this version'],
  ['/v1/audit/keys', 'the installation’s own keys'],
  ['/v1/profiles/{profile}/connect-attempts', 'the newest 2,000 steps of a day'],
  ['/v1/servers/{server}/connect-attempts', 'the newest 2,000 steps of a day'],
]);

test('every list comes in pages of a bounded size', async () => {
  const { body } = await api.send('GET', '/v1/openapi.json');
  const paths = Object.entries<OpenApiDocument['paths'][string]>(body.paths);
  const unpaged = paths.flatMap(([path, { get }]) => {
    const shown = get?.responses['200']?.content?.['application/json']?.schema;
    if (get === undefined || !isList(shown) || WITHOUT_PAGES.has(path)) return [];
    const named = new Map(get.parameters.map(({ name, description }) => [name, description ?? '']));
    const isBounded = /from 1 to \d+/.test(named.get('limit') ?? '');
    return isBounded && named.has('cursor') ? [] : [path];
  });
  expect(unpaged).toEqual([]);
  expect([...WITHOUT_PAGES.keys()].filter((path) => !(path in body.paths))).toEqual([]);
});

test('every refusal is a problem document with a code and the place where it is explained', async () => {
  const { body } = await api.send('GET', '/v1/openapi.json');
  expect(body.components.schemas.Problem.required).toEqual(expect.arrayContaining(['code', 'detail']));
  const operations = Object.values<OpenApiDocument['paths'][string]>(body.paths).flatMap((item) => Object.values(item));
  for (const { operationId, responses } of operations)
    for (const [status, { content }] of Object.entries(responses))
      if (Number(status) >= 400)
        expect([operationId, status, content?.['application/problem+json']?.schema]).toEqual([
          operationId,
          status,
          { $ref: '#/components/schemas/Problem' },
        ]);
});

test('every 429 says in its headers what is full and when to come again', async () => {
  const { body } = await api.send('GET', '/v1/openapi.json');
  const operations = Object.values<OpenApiDocument['paths'][string]>(body.paths).flatMap((item) => Object.values(item));
  const limited = operations.flatMap(({ operationId, responses }) => {
    const headers = responses['429']?.headers;
    return responses['429'] === undefined ? [] : [{ operationId, headers: Object.keys(headers ?? {}) }];
  });
  expect(limited.length).toBeGreaterThan(100);
  for (const { operationId, headers } of limited)
    expect({ operationId, headers }).toEqual({
      operationId,
      headers: ['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy'],
    });
});

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Whether a schema is of an object whose first member is an array of objects: what there is of something. */
function isList(schema: unknown): boolean {
  if (!isObject(schema) || !isObject(schema['properties'])) return false;
  const [first] = Object.values(schema['properties']);
  if (!isObject(first) || first['type'] !== 'array' || !isObject(first['items'])) return false;
  const { $ref: reference, type } = first['items'];
  return type === 'object' || typeof reference === 'string';
}
