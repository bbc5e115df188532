/** A JSON Schema that is an object. */
export type Schema = Readonly<Record<string, unknown>>;

/** A value as a schema; what is none takes everything. */
export function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {}; // checked here
}

/** The schema that a local reference means; other members beside it are kept. `true` is the schema that takes all. */
export function resolve(schema: unknown, root: Schema): Schema | undefined {
  if (schema === true || schema === undefined) return {};
  let found = asSchema(schema);
  for (let hops = 0; typeof found['$ref'] === 'string'; hops += 1) {
    const target = follow(found['$ref'], root);
    if (target === undefined || hops > 8) return undefined;
    const { $ref: _, ...beside } = found;
    found = { ...target, ...beside };
  }
  return found;
}

function follow(reference: string, root: Schema): Schema | undefined {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let found: unknown = root;
  for (const part of reference.slice(2).split('/')) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Schema)[name]; // an object, seen above
  }
  return asSchema(found);
}
