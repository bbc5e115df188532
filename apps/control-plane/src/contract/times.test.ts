import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OpenApiDocument } from '../openapi-document/build-document.js';
import type { JsonSchema } from '../openapi-document/json-schemas.js';
import type { Operation } from '../openapi-document/operation.js';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { isForPeople } from '../testing/member-examples.fixture.js';
import { day, moment } from './times.js';

const BEYOND = {
  'date-time': [
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+23:59',
    '1969-12-31T23:59:59.999Z',
    '9999-12-31T23:59:59-23:59',
    '9998-12-31T23:59:59-00:01',
    '2026-02-30T00:00:00Z',
  ],
  date: ['0000-01-01', '1969-12-31', '9999-01-01', '9999-12-31', '2026-02-30'],
} as const;

describe('a moment', () => {
  test.each([
    ['2026-11-01T12:00:00Z', '2026-11-01T12:00:00.000Z'],
    ['2026-11-01T12:00:00.5+02:00', '2026-11-01T10:00:00.500Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
    ['1969-12-31T23:59:59-23:59', '1970-01-01T23:58:59.000Z'],
    ['9998-12-31T23:59:59.999Z', '9998-12-31T23:59:59.999Z'],
  ])('%s is %s', (text, expected) => {
    expect(moment.parse(text)).toBe(expected);
  });

  test.each([...BEYOND['date-time'], 'now', '2026-11-01', ''])('%s is none', (text) => {
    expect(moment.safeParse(text).success).toBe(false);
  });
});

test.each([
  ['1970-01-01', true],
  ['9998-12-31', true],
  ...BEYOND.date.map((text) => [text, false] as const),
  ['yesterday', false],
])('the day %s: %s', (text, expected) => {
  expect(day.safeParse(text).success).toBe(expected);
});

describe('every time that a request of the API names is bounded', () => {
  let api: ControlPlane;
  let tenant: TestTenant;
  let document: OpenApiDocument;

  beforeAll(async () => {
    api = await startControlPlane();
    tenant = await api.newTenant();
    document = (await api.send('GET', '/v1/openapi.json')).body;
  });
  afterAll(() => api?.stop());

  const operations = () =>
    Object.entries(document.paths).flatMap(([pattern, item]) =>
      Object.entries(item)
        .filter(([, operation]) => operation['x-served-by'] === undefined)
        .map(([method, operation]) => ({ method: method.toUpperCase(), pattern, operation })),
    );

  async function problemsOf({ method, pattern, operation }: Asked, sent: { query?: string; body?: unknown }) {
    const people = isForPeople(`${method} ${pattern}`);
    const own = people ? await api.tokenOf(tenant, tenant.ownerId) : tenant.key;
    const key = pattern.startsWith('/admin/') ? api.operatorKey : own;
    const places = new Map(operation.parameters.map(({ name, schema }) => [name, placeOf(schema)]));
    const path = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => places.get(name) ?? '');
    const { query = '', body } = sent;
    const answer = await api.send(method, `${path}${query}`, { key, ...(body === undefined ? {} : { body }) });
    const pointers = answer.body?.errors?.map(({ pointer }: { pointer: string }) => pointer) ?? [];
    return { status: answer.status, pointers };
  }

  test('in queries', async () => {
    const asked = operations().flatMap((operation) =>
      operation.operation.parameters
        .filter((parameter) => parameter.in === 'query')
        .flatMap(({ name, schema }) => timesIn(schema, document.components.schemas).map((time) => ({ name, ...time })))
        .flatMap(({ name, format }) => BEYOND[format].map((text) => ({ ...operation, name, text }))),
    );
    expect(asked.length).toBeGreaterThan(30);
    for (const { name, text, ...operation } of asked) {
      const problems = await problemsOf(operation, { query: `?${name}=${encodeURIComponent(text)}` });
      expect({ of: operation.pattern, name, text, ...problems }).toMatchObject({
        status: 400,
        pointers: expect.arrayContaining([`/query/${name}`]),
      });
    }
  });

  test('in bodies', async () => {
    const asked = operations().flatMap((operation) =>
      timesIn(
        operation.operation.requestBody?.content['application/json']?.schema ?? {},
        document.components.schemas,
      ).flatMap(({ format, path }) => BEYOND[format].map((text) => ({ ...operation, path, text }))),
    );
    expect(asked.length).toBeGreaterThan(30);
    for (const { path, text, ...operation } of asked) {
      const body = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), text);
      expect({ of: operation.pattern, path, text, ...(await problemsOf(operation, { body })) }).toMatchObject({
        status: 400,
        pointers: expect.arrayContaining([`/${path.join('/')}`]),
      });
    }
  });
});

/** What fits a place of a path and names nothing. */
function placeOf({ format, pattern }: JsonSchema): string {
  if (format === 'uuid' || String(pattern).includes('[0-9a-fA-F]{8}')) return randomUUID();
  return String(pattern).includes('[0-9]') ? '1' : 'some';
}

/** Schemas may hold themselves. */
const DEPTH_MAX = 6;

interface Asked {
  readonly method: string;
  readonly pattern: string;
  readonly operation: Operation;
}

interface Time {
  readonly format: keyof typeof BEYOND;
  readonly path: readonly string[];
}

/** Where in a schema times stand, by the members on the way there. */
function timesIn(schema: JsonSchema, schemas: Readonly<Record<string, JsonSchema>>, path: string[] = []): Time[] {
  if (path.length > DEPTH_MAX) return [];
  const reference = schema['$ref'];
  if (typeof reference === 'string')
    return timesIn(schemas[reference.replace('#/components/schemas/', '')] ?? {}, schemas, path);
  const { format, properties, items, anyOf, oneOf, allOf } = schema;
  if (format === 'date' || format === 'date-time') return [{ format, path }];
  const variants = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? (list as JsonSchema[]) : []));
  const members = Object.entries((properties ?? {}) as Record<string, JsonSchema>);
  return [
    ...variants.flatMap((variant) => timesIn(variant, schemas, path)),
    ...(items === undefined ? [] : timesIn(items as JsonSchema, schemas, [...path, '0'])),
    ...members.flatMap(([name, member]) => timesIn(member, schemas, [...path, name])),
  ];
}
