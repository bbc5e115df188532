import { listOr, own, type JsonObject } from '../openapi-document/node.js';

const EXAMPLE_CHARACTERS_MAX = 200;
/** Limits that an upstream's answers break in practice, where the answer is still the right one. */
const LIMITS = new Set([
  'required',
  'dependentRequired',
  'pattern',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
  'default',
]);

/** An OpenAPI 3.0 schema with its boolean `exclusiveMinimum` and `exclusiveMaximum` as numbers, as 2020-12 has them. */
export function fromOpenApi30(schema: JsonObject): JsonObject {
  if (!('exclusiveMinimum' in schema) && !('exclusiveMaximum' in schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema).flatMap(([keyword, value]): Array<[string, unknown]> => {
      const limit = EXCLUSIVE.get(keyword);
      if (limit !== undefined && typeof value === 'boolean')
        return value && limit in schema ? [[keyword, own(schema, limit)]] : [];
      return isReplaced(keyword, schema) ? [] : [[keyword, value]];
    }),
  );
}

const EXCLUSIVE = new Map([
  ['exclusiveMinimum', 'minimum'],
  ['exclusiveMaximum', 'maximum'],
]);

function isReplaced(keyword: string, schema: JsonObject): boolean {
  return (
    (keyword === 'minimum' && own(schema, 'exclusiveMinimum') === true) ||
    (keyword === 'maximum' && own(schema, 'exclusiveMaximum') === true)
  );
}

/** The schema with a short example, from OpenAPI's `example` or the first of `examples`. */
export function withExamples(schema: Record<string, unknown>, source: JsonObject): Record<string, unknown> {
  const example = own(source, 'example') ?? listOr(own(source, 'examples'))[0];
  const text = example === undefined ? undefined : JSON.stringify(example);
  return text === undefined || text.length > EXAMPLE_CHARACTERS_MAX ? schema : { ...schema, examples: [example] };
}

/** The schema of a result reduced to its shape: kinds and names stay, limits go. */
export function tolerantOutput(schema: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema).filter(
      ([keyword, value]) =>
        !LIMITS.has(keyword) &&
        !((keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') && value === false),
    ),
  );
}
