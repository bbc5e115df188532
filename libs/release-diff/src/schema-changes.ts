import { isDeepStrictEqual } from 'node:util';
import { asSchema, resolve, type Schema } from './references.js';

/** One difference between two JSON Schemas. */
export interface SchemaChange {
  /** Where, as a JSON Pointer into the schema. */
  readonly pointer: string;
  /** What it is, for people. */
  readonly change: string;
  /** `breaking` when something that the schema before took is refused by the one after, or may be. */
  readonly effect: 'breaking' | 'compatible' | 'wording';
}

const DEPTH_MAX = 32;
const CHANGES_MAX = 500;
const COMPARED_MAX = 20_000;
const WORDING = ['title', 'description', 'default', 'examples', '$comment', 'deprecated'];
const LOWER_BOUNDS = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains'];
const UPPER_BOUNDS = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'];
/** Keywords that are compared by their own rules. */
const COMPARED = new Set([
  ...WORDING,
  ...LOWER_BOUNDS,
  ...UPPER_BOUNDS,
  'type',
  'nullable',
  'enum',
  'const',
  'properties',
  'required',
  'additionalProperties',
  'items',
  '$defs',
  'definitions',
  '$schema',
  '$id',
  '$ref',
  'uniqueItems',
]);

/**
 * The differences of two JSON Schemas (2020-12), judged as a receiver's: is all that `before` took still taken `after`?
 * What cannot be compared (other combinators, patterns) and differs counts as breaking. A property that is looked at no
 * more is a loss to who sends it, none to who receives it. No pattern is run, and no reference outside is followed.
 */
export function compareSchemas(
  before: unknown,
  after: unknown,
  direction: 'sent' | 'received' = 'sent',
): SchemaChange[] {
  const comparison = new Comparison(asSchema(before), asSchema(after), direction);
  comparison.compare(before, after, '', 0);
  return comparison.changes;
}

class Comparison {
  readonly changes: SchemaChange[] = [];
  readonly #sameDefinitions: boolean;
  /** Pairs of references that have been compared: a schema may contain itself. */
  readonly #seen = new Set<string>();
  #compared = 0;

  constructor(
    private readonly rootBefore: Schema,
    private readonly rootAfter: Schema,
    private readonly direction: 'sent' | 'received',
  ) {
    this.#sameDefinitions = ['$defs', 'definitions'].every((key) => isDeepStrictEqual(rootBefore[key], rootAfter[key]));
  }

  compare(givenBefore: unknown, givenAfter: unknown, pointer: string, depth: number): void {
    if (this.changes.length >= CHANGES_MAX || this.#isSettled(givenBefore, givenAfter)) return;
    this.#compared += 1;
    if (depth > DEPTH_MAX || this.#compared > COMPARED_MAX)
      return this.#note(pointer, 'is too deep or large to compare', 'breaking');
    const before = resolve(givenBefore, this.rootBefore);
    const after = resolve(givenAfter, this.rootAfter);
    if (before === undefined || after === undefined)
      return this.#unlike(givenBefore, givenAfter, pointer, 'refers to a schema that is not there');
    if (givenAfter === false) return this.#unlike(givenBefore, false, pointer, 'takes nothing any more');
    this.#wording(before, after, pointer);
    this.#types(before, after, pointer);
    this.#values(before, after, pointer);
    this.#bounds(before, after, pointer);
    this.#properties(before, after, pointer, depth);
    this.#items(before, after, pointer, depth);
    this.#others(before, after, pointer);
  }

  /** Whether two parts are the same, or have been compared already. */
  #isSettled(before: unknown, after: unknown): boolean {
    if (this.#sameDefinitions && isDeepStrictEqual(before, after)) return true;
    const references = [asSchema(before)['$ref'], asSchema(after)['$ref']];
    if (references.every((reference) => typeof reference !== 'string')) return false;
    const pair = JSON.stringify(references);
    if (this.#seen.has(pair)) return true;
    this.#seen.add(pair);
    return false;
  }

  #wording(before: Schema, after: Schema, pointer: string): void {
    for (const key of WORDING)
      if (!isDeepStrictEqual(before[key], after[key])) this.#note(`${pointer}/${key}`, 'was reworded', 'wording');
  }

  #types(before: Schema, after: Schema, pointer: string): void {
    const [had, has] = [typesOf(before), typesOf(after)];
    if (has === undefined && had === undefined) return;
    if (has === undefined) return this.#note(`${pointer}/type`, 'takes any type now', 'compatible');
    const lost = (had ?? ['any other type']).filter((type) => !covers(has, type));
    const gained = had === undefined ? [] : has.filter((type) => !covers(had, type));
    if (lost.length > 0) this.#note(`${pointer}/type`, `no longer takes ${lost.join(', ')}`, 'breaking');
    if (gained.length > 0) this.#note(`${pointer}/type`, `takes ${gained.join(', ')} too`, 'compatible');
  }

  #values(before: Schema, after: Schema, pointer: string): void {
    const [had, has] = [valuesOf(before), valuesOf(after)];
    if (has === undefined) {
      if (had !== undefined) this.#note(`${pointer}/enum`, 'takes any value now', 'compatible');
      return;
    }
    const among = (values: readonly unknown[], value: unknown): boolean =>
      values.some((other) => isDeepStrictEqual(other, value));
    if (had === undefined) return this.#note(`${pointer}/enum`, 'takes certain values only', 'breaking');
    const lost = had.filter((value) => !among(has, value));
    const gained = has.filter((value) => !among(had, value));
    if (lost.length > 0) this.#note(`${pointer}/enum`, `no longer takes ${shown(lost)}`, 'breaking');
    if (gained.length > 0) this.#note(`${pointer}/enum`, `takes ${shown(gained)} too`, 'compatible');
  }

  #bounds(before: Schema, after: Schema, pointer: string): void {
    const compare = (key: string, isTighter: (had: number, has: number) => boolean): void => {
      const [had, has] = [before[key], after[key]];
      if (had === has || (had === undefined && typeof has !== 'number')) return;
      const tighter =
        typeof has === 'number' && (typeof had !== 'number' || isTighter(had, has)) ? 'breaking' : 'compatible';
      this.#note(`${pointer}/${key}`, `was ${shown([had])}, is ${shown([has])}`, tighter);
    };
    for (const key of LOWER_BOUNDS) compare(key, (had, has) => has > had);
    for (const key of UPPER_BOUNDS) compare(key, (had, has) => has < had);
    if (before['uniqueItems'] !== true && after['uniqueItems'] === true)
      this.#note(`${pointer}/uniqueItems`, 'takes no repeated items any more', 'breaking');
  }

  #properties(before: Schema, after: Schema, pointer: string, depth: number): void {
    const [had, has] = [asSchema(before['properties']), asSchema(after['properties'])];
    for (const name of Object.keys(had)) {
      const where = `${pointer}/properties/${escape(name)}`;
      if (Object.hasOwn(has, name)) this.compare(had[name], has[name], where, depth + 1);
      else this.#note(where, 'was removed', this.#isLoss(after) ? 'breaking' : 'compatible');
    }
    const [needed, needs] = [namesOf(before['required']), namesOf(after['required'])];
    for (const name of Object.keys(has))
      if (!Object.hasOwn(had, name))
        this.#note(
          `${pointer}/properties/${escape(name)}`,
          'was added',
          needs.includes(name) ? 'breaking' : 'compatible',
        );
    for (const name of needs)
      if (!needed.includes(name)) this.#note(`${pointer}/required`, `${name} is required now`, 'breaking');
    for (const name of needed)
      if (!needs.includes(name)) this.#note(`${pointer}/required`, `${name} is optional now`, 'compatible');
    this.#additional(
      before['additionalProperties'],
      after['additionalProperties'],
      `${pointer}/additionalProperties`,
      depth,
    );
  }

  /** Whether it matters that a property is described no more. */
  #isLoss(after: Schema): boolean {
    return this.direction === 'sent' || after['additionalProperties'] === false;
  }

  #additional(before: unknown, after: unknown, pointer: string, depth: number): void {
    const [had, has] = [before ?? true, after ?? true];
    if (isDeepStrictEqual(had, has)) return;
    if (has === true || had === false) return this.#note(pointer, 'takes other properties too', 'compatible');
    if (has === false) return this.#note(pointer, 'takes no other properties any more', 'breaking');
    this.compare(had === true ? {} : had, has, pointer, depth + 1);
  }

  #items(before: Schema, after: Schema, pointer: string, depth: number): void {
    const [had, has] = [before['items'], after['items']];
    if (had === undefined && has === undefined) return;
    if (has === undefined) return this.#note(`${pointer}/items`, 'takes any items now', 'compatible');
    this.compare(had ?? {}, has, `${pointer}/items`, depth + 1);
  }

  /** Everything else: the same, gone, or not to be compared. */
  #others(before: Schema, after: Schema, pointer: string): void {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (COMPARED.has(key) || key.startsWith('x-') || isDeepStrictEqual(before[key], after[key])) continue;
      const gone = !Object.hasOwn(after, key);
      this.#note(
        `${pointer}/${key}`,
        gone ? 'was removed' : 'was changed',
        gone && key !== 'format' ? 'compatible' : 'breaking',
      );
    }
  }

  #unlike(before: unknown, after: unknown, pointer: string, change: string): void {
    if (!isDeepStrictEqual(before, after)) this.#note(pointer, change, 'breaking');
  }

  #note(pointer: string, change: string, effect: SchemaChange['effect']): void {
    if (this.changes.length < CHANGES_MAX) this.changes.push({ pointer, change, effect });
  }
}

function typesOf({ type, nullable }: Schema): string[] | undefined {
  if (type === undefined) return undefined;
  const types = (Array.isArray(type) ? type : [type]).map(String);
  return nullable === true ? [...types, 'null'] : types;
}

function covers(types: readonly string[], type: string): boolean {
  return types.includes(type) || (type === 'integer' && types.includes('number'));
}

function valuesOf(schema: Schema): readonly unknown[] | undefined {
  if (Object.hasOwn(schema, 'const')) return [schema['const']];
  return Array.isArray(schema['enum']) ? schema['enum'] : undefined;
}

function namesOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string') : [];
}

function shown(values: readonly unknown[]): string {
  const text = values.map((value) => JSON.stringify(value) ?? 'none').join(', ');
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function escape(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
