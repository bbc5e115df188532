import { at, type Problems } from '../build-checks/problems.js';
import { shownText } from '../build-checks/text-safety.js';
import type { OpenApiVersion } from '../openapi-document/document.js';
import { isObject, listOr, own, type JsonObject, type Place } from '../openapi-document/node.js';
import type { References } from '../openapi-document/references.js';
import { HEADER_KEYWORD, rememberPlace } from './mirrored-arguments.js';
import { SchemaDefinitions } from './schema-definitions.js';
import {
  ANNOTATIONS,
  IN_PLACE_KEYWORDS,
  PLAIN_KEYWORDS,
  SCHEMA_KEYWORDS,
  SCHEMA_LIST_KEYWORDS,
  SCHEMA_MAP_KEYWORDS,
} from './schema-keywords.js';
import { fromOpenApi30, tolerantOutput, withExamples } from './schema-dialect.js';
import { findReadOnly } from './schema-read-only.js';

/** A JSON Schema 2020-12: an object, or a boolean. */
export type Schema = Record<string, unknown> | boolean;

/** How a tool's schemas are converted. */
export interface ConversionOptions {
  readonly version: OpenApiVersion;
  readonly references: References;
  readonly problems: Problems;
  /** What the schemas are for: arguments lose what only the upstream writes, results lose what they may break. */
  readonly use: 'input' | 'output';
  /** Whether references are replaced by what they stand for (recursive ones never are) or kept under `$defs`. */
  readonly expansion: 'inlined' | 'kept';
  /** Most JSON text of all schemas together. */
  readonly bytesMax: number;
}

/** Thrown when schemas become larger than they may. */
export class SchemaTooLarge extends Error {
  override readonly name = 'SchemaTooLarge';
}

interface Context {
  /** Pointers of the references that are being replaced. */
  readonly within: ReadonlySet<string>;
  readonly depth: number;
  /** The definition whose very value this schema looks at. */
  readonly definition: string | undefined;
  /** Properties of this value that are left out. */
  readonly dropped: ReadonlySet<string>;
}

const DEPTH_MAX = 24;
const TEXT_CHARACTERS_MAX = 1_000;
const NONE: ReadonlySet<string> = new Set();
const START: Context = { within: NONE, depth: 0, definition: undefined, dropped: NONE };

/** Converts the OpenAPI schemas of one tool to JSON Schema 2020-12. */
export class SchemaConversion {
  readonly #options: ConversionOptions;
  readonly #definitions = new SchemaDefinitions();
  #bytes = 0;

  constructor(options: ConversionOptions) {
    this.#options = options;
  }

  /** The schema of one value; what it refers to may stand in `definitions`. @throws SchemaTooLarge, OperationSkipped */
  convert(place: Place): Schema {
    return this.#schema(place, START);
  }

  /** The same, but with the schema itself never replaced by a reference. */
  convertWhole(place: Place): Schema {
    const target = this.#options.references.follow(place);
    return target === undefined
      ? this.convert(place)
      : this.#object(target, { ...START, within: new Set([target.pointer]) });
  }

  /** What the converted schemas refer to, for `$defs`. Call it once, after every conversion. */
  definitions(): Record<string, unknown> {
    return this.#definitions.finish((target) =>
      this.#object(target, { ...START, within: new Set([target.pointer]), definition: target.pointer }),
    );
  }

  #schema(place: Place, context: Context): Schema {
    const { value, pointer } = place;
    if (typeof value === 'boolean') return value;
    if (!isObject(value)) {
      this.#options.problems.add(pointer, 'A schema must be an object.');
      return {};
    }
    if (context.depth > DEPTH_MAX) throw new SchemaTooLarge(pointer);
    return typeof own(value, '$ref') === 'string'
      ? this.#reference({ value, pointer }, context)
      : this.#object({ value, pointer }, context);
  }

  #reference(place: Place<JsonObject>, context: Context): Schema {
    const target = this.#options.references.follow(place);
    const reference = String(own(place.value, '$ref'));
    if (target === undefined) return this.#options.references.find(reference)?.value === false ? false : {};
    const beside = this.#beside(place, context);
    if (this.#options.expansion === 'kept' || context.within.has(target.pointer)) {
      if (context.definition !== undefined) this.#definitions.noteInPlace(context.definition, target.pointer);
      this.#spend(target.pointer.length);
      return { ...this.#definitions.refer(target), ...beside };
    }
    const inlined = this.#object(target, {
      ...context,
      depth: context.depth + 1,
      within: new Set([...context.within, target.pointer]),
    });
    return 'allOf' in beside ? { allOf: [inlined], ...beside } : { ...inlined, ...beside };
  }

  /** What stands beside a `$ref`: descriptions in both versions; in 3.1 also keywords, which apply as well. */
  #beside({ value, pointer }: Place<JsonObject>, context: Context): Record<string, unknown> {
    const entries = Object.entries(value).filter(([name]) => name !== '$ref');
    const words = Object.fromEntries(entries.filter(([name]) => ANNOTATIONS.has(name)));
    const rest = Object.fromEntries(
      entries.filter(([name]) => !ANNOTATIONS.has(name) && (PLAIN_KEYWORDS.has(name) || isApplicator(name))),
    );
    const described = this.#object({ value: words, pointer }, context);
    if (this.#options.version === '3.0' || Object.keys(rest).length === 0) return described;
    return { allOf: [this.#object({ value: rest, pointer }, context)], ...described };
  }

  #object(place: Place<JsonObject>, context: Context): Record<string, unknown> {
    const readOnly = this.#options.use === 'input' ? findReadOnly(place.value, this.#options.references) : NONE;
    const inside = {
      ...context,
      dropped: readOnly.size === 0 ? context.dropped : new Set([...context.dropped, ...readOnly]),
    };
    const node = this.#options.version === '3.0' ? fromOpenApi30(place.value) : place.value;
    const schema: Record<string, unknown> = {};
    for (const [keyword, value] of Object.entries(node)) {
      const converted = this.#keyword(keyword, { value, pointer: at(place.pointer, keyword) }, inside);
      if (converted !== undefined) schema[keyword] = converted;
    }
    if (HEADER_KEYWORD in schema) rememberPlace(schema, at(place.pointer, HEADER_KEYWORD));
    const whole = this.#options.use === 'output' ? tolerantOutput(schema) : withExamples(schema, place.value);
    return own(place.value, 'nullable') === true && this.#options.version === '3.0' ? nullable(whole) : whole;
  }

  #keyword(keyword: string, { value, pointer }: Place, context: Context): unknown {
    this.#spend(keyword.length + 4);
    const next = IN_PLACE_KEYWORDS.has(keyword)
      ? { ...context, depth: context.depth + 1 }
      : { ...context, depth: context.depth + 1, definition: undefined, dropped: NONE };
    if (SCHEMA_KEYWORDS.has(keyword)) return this.#schema({ value, pointer }, next);
    if (SCHEMA_LIST_KEYWORDS.has(keyword)) {
      if (!Array.isArray(value) || value.length === 0) return this.#refuse(pointer, 'must be a list of schemas');
      return value.map((item, index) => this.#schema({ value: item, pointer: at(pointer, index) }, next));
    }
    if (SCHEMA_MAP_KEYWORDS.has(keyword))
      return this.#map({ value, pointer }, next, keyword === 'properties' ? context.dropped : NONE);
    return this.#plain(keyword, { value, pointer }, context);
  }

  #map({ value, pointer }: Place, context: Context, dropped: ReadonlySet<string>): unknown {
    if (!isObject(value)) return this.#refuse(pointer, 'must be an object of schemas');
    const kept = Object.entries(value).filter(([name]) => !dropped.has(name));
    return Object.fromEntries(
      kept.map(([name, child]) => {
        this.#spend(name.length + 4);
        return [name, this.#schema({ value: child, pointer: at(pointer, name) }, context)];
      }),
    );
  }

  #plain(keyword: string, { value, pointer }: Place, { dropped }: Context): unknown {
    if (keyword === HEADER_KEYWORD) return this.#mirrored(value);
    const check = PLAIN_KEYWORDS.get(keyword);
    if (check === undefined) return undefined;
    const fault = check(value);
    if (fault !== undefined) return this.#refuse(pointer, fault);
    const kept = keyword === 'required' ? listOr(value).filter((name) => !dropped.has(String(name))) : value;
    if (keyword === 'required' && listOr(kept).length === 0) return undefined;
    const plain =
      ANNOTATIONS.has(keyword) && typeof kept === 'string' && keyword !== 'default'
        ? shownText(this.#options.problems, pointer, kept, TEXT_CHARACTERS_MAX)
        : kept;
    this.#spend(JSON.stringify(plain)?.length ?? 0);
    return plain;
  }

  /** Arguments alone are mirrored in headers; whether this one may be is judged in the whole tool. */
  #mirrored(value: unknown): unknown {
    if (this.#options.use === 'output') return undefined;
    this.#spend(JSON.stringify(value)?.length ?? 0);
    return value;
  }

  #refuse(pointer: string, fault: string): undefined {
    this.#options.problems.add(pointer, `This ${fault} (JSON Schema 2020-12).`);
  }

  #spend(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#options.bytesMax) throw new SchemaTooLarge();
  }
}

function isApplicator(keyword: string): boolean {
  return SCHEMA_KEYWORDS.has(keyword) || SCHEMA_LIST_KEYWORDS.has(keyword) || SCHEMA_MAP_KEYWORDS.has(keyword);
}

function nullable(schema: Record<string, unknown>): Record<string, unknown> {
  const { type, title, description, ...rest } = schema;
  const words = { ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) };
  const composed = [...SCHEMA_LIST_KEYWORDS, '$ref'].some((keyword) => keyword in schema);
  if (composed) return { ...words, anyOf: [{ ...rest, ...(type === undefined ? {} : { type }) }, { type: 'null' }] };
  if (type === undefined) return schema;
  const types = [...(Array.isArray(type) ? type : [type]), 'null'];
  const values = rest['enum'];
  return {
    ...words,
    ...rest,
    type: types,
    ...(Array.isArray(values) && !values.includes(null) ? { enum: [...values, null] } : {}),
  };
}
