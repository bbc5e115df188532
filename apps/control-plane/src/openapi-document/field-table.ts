import { code, escape, prose } from './html.js';
import type { JsonSchema } from './json-schemas.js';

const DEPTH_MAX = 6;

interface Field {
  readonly path: string;
  readonly schema: JsonSchema;
  readonly needed: 'required' | 'optional';
}

function asSchema(value: unknown): JsonSchema | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : undefined; // checked on this line
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Reads fields out of the schemas of one document. */
export class FieldTables {
  constructor(private readonly components: Readonly<Record<string, JsonSchema>>) {}

  /** A table of a body's fields; for a body that is one of several, a table for each. Empty where it has no fields. */
  of(label: string, schema: JsonSchema): string {
    const fields = this.#fields(this.#resolved(schema), '', 0);
    if (fields.length === 0) return '';
    const rows = fields.map(
      ({ path, schema: field, needed }) =>
        `<tr><th scope="row">${code(path)}</th><td>${this.#typeOf(field)}</td><td>${needed}</td><td>${prose(String(field['description'] ?? ''))}</td></tr>`,
    );
    return `<table><caption>${escape(label)}</caption><thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Needed</th><th scope="col">Meaning</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
  }

  #resolved(schema: JsonSchema): JsonSchema {
    const reference = schema['$ref'];
    if (typeof reference !== 'string') return schema;
    return this.components[reference.slice(reference.lastIndexOf('/') + 1)] ?? {};
  }

  #fields(schema: JsonSchema, prefix: string, depth: number): Field[] {
    if (depth > DEPTH_MAX) return [];
    const required = new Set(list(schema['required']));
    const properties = Object.entries(asSchema(schema['properties']) ?? {});
    return properties.flatMap(([name, value]) => {
      const field = this.#resolved(asSchema(value) ?? {});
      const path = `${prefix}${name}`;
      const own: Field = { path, schema: field, needed: required.has(name) ? 'required' : 'optional' };
      return [own, ...this.#below(field, path, depth)];
    });
  }

  #below(field: JsonSchema, path: string, depth: number): Field[] {
    const items = asSchema(field['items']);
    if (items !== undefined) return this.#fields(this.#resolved(items), `${path}[].`, depth + 1);
    const variants = variantsOf(field);
    return [field, ...variants].flatMap((shape) => {
      const resolved = this.#resolved(shape);
      return this.#fields(resolved, `${path}${kindOf(resolved)}.`, depth + 1);
    });
  }

  #typeOf(schema: JsonSchema): string {
    const values = 'const' in schema ? [schema['const']] : list(schema['enum']);
    if (values.length > 0) return values.map((value) => code(JSON.stringify(value))).join(' or ');
    const variants = variantsOf(schema);
    if (variants.length > 0)
      return [...new Set(variants.map((variant) => this.#typeOf(this.#resolved(variant))))].join(' or ');
    const items = asSchema(schema['items']);
    if (items !== undefined) return `list of ${this.#typeOf(this.#resolved(items))}`;
    const type = typeof schema['type'] === 'string' ? schema['type'] : 'anything';
    const format = typeof schema['format'] === 'string' ? ` (${schema['format']})` : '';
    return escape(`${type}${format}`);
  }
}

function variantsOf(schema: JsonSchema): JsonSchema[] {
  const variants = [...list(schema['oneOf']), ...list(schema['anyOf'])].map(asSchema);
  return variants.filter((variant) => variant !== undefined);
}

/** What tells a variant from the others: the value of its `kind`. */
function kindOf(variant: JsonSchema): string {
  const kind = asSchema(asSchema(variant['properties'])?.['kind'])?.['const'];
  return typeof kind === 'string' ? `(${kind})` : '';
}
