import { isObject, listOr, objectOr, own, type JsonObject } from '../openapi-document/node.js';
import type { References } from '../openapi-document/references.js';

const DEPTH_MAX = 4;
const BRANCHES_MAX = 64;

/** Names of the properties that only the upstream writes, in a schema and in what it is composed of. */
export function findReadOnly(schema: JsonObject, references: References, depth = 0): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [name, property] of Object.entries(objectOr(own(schema, 'properties')))) {
    const target =
      isObject(property) && typeof own(property, '$ref') === 'string'
        ? references.follow({ value: property, pointer: '' })?.value
        : property;
    if (isObject(target) && own(target, 'readOnly') === true) found.add(name);
  }
  if (depth >= DEPTH_MAX) return found;
  for (const branch of listOr(own(schema, 'allOf')).slice(0, BRANCHES_MAX)) {
    const target = references.follow({ value: branch, pointer: '' });
    if (target !== undefined) for (const name of findReadOnly(target.value, references, depth + 1)) found.add(name);
  }
  return found;
}
