import type { Placement } from '#libs/protocol';
import { isObject, listOr } from '../openapi-document/node.js';
import type { Schema } from './schema.js';

const SEPARATED: ReadonlyMap<string, 'comma' | 'space' | 'pipe'> = new Map([
  ['form', 'comma'],
  ['spaceDelimited', 'space'],
  ['pipeDelimited', 'pipe'],
]);

/**
 * How a parameter's value stands in a query or a form (OpenAPI 3.1, "Style Values"); `plain` where nothing needs to be
 * said, undefined where OpenAPI defines no such form.
 */
export function queryStyle(
  style: string,
  explode: boolean,
  schema: Schema,
): NonNullable<Placement['style']> | 'plain' | undefined {
  if (style === 'deepObject') return 'deep';
  if (explode) {
    if (!allows(schema, 'object')) return 'plain';
    return style === 'form' ? 'exploded' : undefined;
  }
  return allows(schema, 'array') || allows(schema, 'object') ? SEPARATED.get(style) : 'plain';
}

/** Whether a schema lets values of a type through, as far as it says. */
export function allows(schema: Schema, type: 'object' | 'array'): boolean {
  if (!isObject(schema)) return false;
  const types = schema['type'];
  if (types === type || (Array.isArray(types) && types.includes(type))) return true;
  if (types === undefined && type === 'object' && 'properties' in schema) return true;
  return ['oneOf', 'anyOf', 'allOf'].some((keyword) =>
    listOr(schema[keyword]).some((branch) => isObject(branch) && allows({ ...branch }, type)),
  );
}
