import * as fc from 'fast-check';
import type { JsonSchema } from '../openapi-document/json-schemas.js';

type Schemas = Readonly<Record<string, JsonSchema>>;

const DEPTH_MAX = 6;
const ITEMS_MAX = 4;

/** Text that systems trip over: what no column holds, what is no character, what looks like code or a path. */
const HOSTILE_TEXTS = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\uD800',
  '\u202Etxt',
  '../../etc/passwd',
  `' or 1=1 --`,
  '{{constructor}}',
  '__proto__',
  'null',
  '-1',
  '9'.repeat(400),
  'x'.repeat(5_000),
  '%00',
  'é😀',
  '0001-01-01T00:00:00Z',
  '+275760-09-13T00:00:00.000Z',
  '00000000-0000-0000-0000-000000000000',
] as const;

/** Times that are written well and that no database, or no calendar of ours, keeps; and the first and last that are kept. */
const EDGE_TIMES = [
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00+23:59',
  '1970-01-01T00:00:00Z',
  '1969-12-31T23:59:59-23:59',
  '9998-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59Z',
  '9999-12-31T23:59:59-23:59',
] as const;
const EDGE_DAYS = ['0000-01-01', '0001-01-01', '1970-01-01', '2024-02-29', '9998-12-31', '9999-12-31'] as const;

const HOSTILE_NUMBERS = [0, -0, -1, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 53, 1e21] as const;

/** Any JSON, with a leaning to what systems trip over. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...HOSTILE_TEXTS),
  fc.constantFrom<unknown>(...HOSTILE_NUMBERS),
  fc.constantFrom<unknown>(null, true, false, [], {}),
  fc.jsonValue({ maxDepth: 3 }),
  fc.json({ maxDepth: 2 }),
);

/** Any text, with the same leaning. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOf(schema: JsonSchema, name: string, otherwise: number): number {
  const value = schema[name];
  return typeof value === 'number' ? value : otherwise;
}

function textBy(schema: JsonSchema): fc.Arbitrary<string> {
  const [minLength, maxLength] = [numberOf(schema, 'minLength', 0), Math.min(numberOf(schema, 'maxLength', 60), 200)];
  switch (schema['format']) {
    case 'uuid':
      return fc.uuid();
    case 'email':
      return fc.emailAddress();
    case 'uri':
      return fc.webUrl();
    case 'date-time':
      return fc.oneof(
        fc.constantFrom(...EDGE_TIMES),
        fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      );
    case 'date':
      return fc.oneof(
        fc.constantFrom(...EDGE_DAYS),
        fc
          .date({ min: new Date(0), max: new Date('9998-12-31'), noInvalidDate: true })
          .map((date) => date.toISOString().slice(0, 10)),
      );
    default:
      return typeof schema['pattern'] === 'string'
        ? matching(schema['pattern'], maxLength).filter((text) => text.length >= minLength)
        : fc.string({ minLength, maxLength });
  }
}

/** Text of a pattern; of classes that cannot be enumerated (`[^\p{Cc}]`), printable text that is tried against it. */
function matching(pattern: string, maxLength: number): fc.Arbitrary<string> {
  const form = new RegExp(pattern, 'u');
  if (/\p\{/.test(pattern)) return fc.string({ minLength: 1, maxLength }).filter((text) => form.test(text));
  const enumerable = new RegExp(pattern.replaceAll(/\(\?[=!][^()]*(?:\([^()]*\)[^()]*)*\)/g, ''), 'u');
  return fc.stringMatching(enumerable, { maxLength: Math.max(maxLength, 80) }).filter((text) => form.test(text));
}

function numberBy(schema: JsonSchema): fc.Arbitrary<number> {
  const [min, max] = [numberOf(schema, 'minimum', -1_000), numberOf(schema, 'maximum', 1_000_000)];
  const above = numberOf(schema, 'exclusiveMinimum', min - 1);
  const bounds = { min: Math.max(min, above + 1), max: Math.max(max, min, above + 1) };
  return schema['type'] === 'integer' ? fc.integer(bounds) : fc.double({ ...bounds, noNaN: true });
}

/** Values that fit a schema of the document, as far as the schema says; what it cannot say is left to the service. */
export function valuesOf(schema: JsonSchema, schemas: Schemas, depth = 0): fc.Arbitrary<unknown> {
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    return valuesOf(schemas[reference.replace('#/components/schemas/', '')] ?? {}, schemas, depth + 1);
  }
  if (depth > DEPTH_MAX) return fc.constant(null);
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...schema['enum']);
  for (const name of ['anyOf', 'oneOf', 'allOf']) {
    const variants = schema[name];
    if (Array.isArray(variants)) {
      return fc.oneof(...variants.filter(isRecord).map((variant) => valuesOf(variant, schemas, depth + 1)));
    }
  }
  return valuesOfType(schema, schemas, depth);
}

function valuesOfType(schema: JsonSchema, schemas: Schemas, depth: number): fc.Arbitrary<unknown> {
  switch (schema['type']) {
    case 'string':
      return textBy(schema);
    case 'integer':
    case 'number':
      return numberBy(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return arraysBy(schema, schemas, depth);
    case 'object':
      return objectsBy(schema, schemas, depth);
    default:
      return anyJson;
  }
}

function arraysBy(schema: JsonSchema, schemas: Schemas, depth: number): fc.Arbitrary<unknown> {
  const minLength = numberOf(schema, 'minItems', 0);
  const maxLength = Math.max(minLength, Math.min(numberOf(schema, 'maxItems', ITEMS_MAX), ITEMS_MAX));
  const items = isRecord(schema['items']) ? schema['items'] : {};
  return fc.array(valuesOf(items, schemas, depth + 1), { minLength, maxLength });
}

function objectsBy(schema: JsonSchema, schemas: Schemas, depth: number): fc.Arbitrary<unknown> {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const members = Object.fromEntries(
    Object.entries(properties).map(([name, member]) => [
      name,
      valuesOf(isRecord(member) ? member : {}, schemas, depth + 1),
    ]),
  );
  const named = fc.record(members, { requiredKeys: required.filter((name) => name in members), noNullPrototype: true });
  const others = schema['additionalProperties'];
  if (!isRecord(others)) return named;
  const keys = isRecord(schema['propertyNames']) ? textBy(schema['propertyNames']) : fc.string({ maxLength: 20 });
  const free = fc.dictionary(keys, valuesOf(others, schemas, depth + 1), { maxKeys: ITEMS_MAX, noNullPrototype: true });
  return fc.tuple(free, named).map(([loose, fixed]) => ({ ...loose, ...fixed }));
}

/** The same value with one place of it changed: something else in its stead, gone, or something beside it. */
export function damaged(value: unknown): fc.Arbitrary<unknown> {
  if (Array.isArray(value) && value.length > 0) {
    return fc.oneof(
      anyJson,
      fc.nat(value.length - 1).chain((at) => damaged(value[at]).map((item) => value.with(at, item))),
    );
  }
  if (!isRecord(value) || Object.keys(value).length === 0) return anyJson;
  return fc.constantFrom(...Object.keys(value)).chain((name) => {
    const { [name]: member, ...rest } = value;
    return fc.oneof(
      { weight: 4, arbitrary: damaged(member).map((item): unknown => ({ ...rest, [name]: item })) },
      { weight: 1, arbitrary: fc.constant<unknown>(rest) },
      { weight: 1, arbitrary: fc.tuple(anyText, anyJson).map(([key, item]): unknown => ({ ...value, [key]: item })) },
      { weight: 1, arbitrary: anyJson },
    );
  });
}
