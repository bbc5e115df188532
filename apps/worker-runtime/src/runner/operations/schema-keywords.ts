import { tolerantPattern } from '../schemas/bounded-pattern.js';
import { isObject } from '../openapi-document/node.js';

const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']);

/** Keywords whose value is one schema. */
export const SCHEMA_KEYWORDS: ReadonlySet<string> = new Set([
  'items',
  'additionalProperties',
  'not',
  'contains',
  'propertyNames',
  'if',
  'then',
  'else',
  'unevaluatedProperties',
  'unevaluatedItems',
]);
/** Keywords whose value is a list of schemas. */
export const SCHEMA_LIST_KEYWORDS: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
/** Keywords whose value is an object of schemas. */
export const SCHEMA_MAP_KEYWORDS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  'dependentSchemas',
]);
/** Keywords whose schemas look at the same value as the schema they stand in. */
export const IN_PLACE_KEYWORDS: ReadonlySet<string> = new Set([
  'not',
  'if',
  'then',
  'else',
  'allOf',
  'anyOf',
  'oneOf',
  'dependentSchemas',
]);
/** Keywords that only describe; a reference may carry its own. */
export const ANNOTATIONS: ReadonlySet<string> = new Set(['title', 'description', 'default', 'deprecated']);

/** Keywords that are taken over as they are, with what is wrong with a value that they cannot have. */
export const PLAIN_KEYWORDS: ReadonlyMap<string, (value: unknown) => string | undefined> = new Map(
  Object.entries({
    type: refuseType,
    enum: (value) => (Array.isArray(value) ? undefined : 'must be a list'),
    const: () => undefined,
    default: () => undefined,
    title: refuseNoText,
    description: refuseNoText,
    format: refuseNoText,
    contentEncoding: refuseNoText,
    contentMediaType: refuseNoText,
    pattern: refusePattern,
    required: (value) => (isTexts(value) ? undefined : 'must be a list of names'),
    dependentRequired: (value) =>
      isObject(value) && Object.values(value).every(isTexts) ? undefined : 'must be an object of lists of names',
    deprecated: refuseNoFlag,
    uniqueItems: refuseNoFlag,
    minimum: refuseNoNumber,
    maximum: refuseNoNumber,
    exclusiveMinimum: refuseNoNumber,
    exclusiveMaximum: refuseNoNumber,
    multipleOf: (value) => (typeof value === 'number' && value > 0 ? undefined : 'must be a number above 0'),
    ...Object.fromEntries(
      [
        'minLength',
        'maxLength',
        'minItems',
        'maxItems',
        'minProperties',
        'maxProperties',
        'minContains',
        'maxContains',
      ].map((name) => [name, refuseNoCount]),
    ),
  } satisfies Record<string, (value: unknown) => string | undefined>),
);

function refuseType(value: unknown): string | undefined {
  const types: unknown[] = Array.isArray(value) ? value : [value];
  const sound = types.length > 0 && types.every((type) => typeof type === 'string' && TYPES.has(type));
  return sound && new Set(types).size === types.length
    ? undefined
    : `must be one of ${[...TYPES].join(', ')}, or a list of them`;
}

function refusePattern(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be text';
  try {
    tolerantPattern(value);
    return undefined;
  } catch {
    return 'is not a regular expression of ECMA-262';
  }
}

function refuseNoText(value: unknown): string | undefined {
  return typeof value === 'string' ? undefined : 'must be text';
}

function refuseNoFlag(value: unknown): string | undefined {
  return typeof value === 'boolean' ? undefined : 'must be true or false';
}

function refuseNoNumber(value: unknown): string | undefined {
  return typeof value === 'number' ? undefined : 'must be a number';
}

function refuseNoCount(value: unknown): string | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
    ? undefined
    : 'must be an integer of at least 0';
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
