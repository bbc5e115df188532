import { z } from 'zod';

/** A JSON Schema as it stands in the document. */
export type JsonSchema = Record<string, unknown>;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Collects named schemas under `components`, and turns zod schemas into JSON Schema 2020-12 that refers to them. */
export class JsonSchemas {
  readonly components: Record<string, JsonSchema> = {};

  /** The schema of what a caller sends (`input`) or receives (`output`). */
  of(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
    const converted: JsonSchema = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' });
    const { $schema: _, $defs: definitions, ...root } = converted;
    if (isRecord(definitions)) {
      for (const [name, definition] of Object.entries(definitions))
        this.components[name] = this.#inDocument(definition);
    }
    const name = root['id'];
    if (typeof name !== 'string') return this.#inDocument(root);
    this.components[name] = this.#inDocument(root);
    return { $ref: `#/components/schemas/${name}` };
  }

  #inDocument(value: unknown): JsonSchema {
    const rewritten = this.#rewrite(value);
    return isRecord(rewritten) ? rewritten : {};
  }

  #rewrite(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#rewrite(item));
    if (!isRecord(value)) return value;
    const entries = Object.entries(value)
      .filter(([key, item]) => !(key === 'id' && typeof item === 'string'))
      .map(([key, item]): [string, unknown] =>
        key === '$ref' && typeof item === 'string'
          ? [key, item.replace('#/$defs/', '#/components/schemas/')]
          : [key, this.#rewrite(item)],
      );
    return Object.fromEntries(entries);
  }
}
