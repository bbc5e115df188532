import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { canonicalJson } from '#libs/protocol';
import { boundedPattern } from './bounded-pattern.js';

/** How strictly a compiled schema looks at `format`. */
export interface EngineOptions {
  readonly formats: 'checked' | 'ignored';
}

/**
 * Compiles one JSON Schema 2020-12. Every schema has an engine of its own, so that the `$id`s of different tools cannot
 * meet; nothing is ever fetched. The schema must be bounded in size and depth. @throws Error what is wrong with it
 */
export function compileSchema(schema: Readonly<Record<string, unknown>>, { formats }: EngineOptions): ValidateFunction {
  const engine = new Ajv2020({
    strict: false,
    allErrors: true,
    verbose: true,
    logger: false,
    meta: false,
    validateSchema: false,
    validateFormats: formats === 'checked',
    code: { regExp: Object.assign(boundedPattern, { code: '' }) },
  });
  if (formats === 'checked') addFormats.default(engine);
  // The engine's own compares each element with every other: some hundred kilobytes of them keep a worker busy for minutes.
  engine.removeKeyword('uniqueItems');
  engine.addKeyword({ keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', validate: holdsNoneTwice });
  return engine.compile(schema);
}

function holdsNoneTwice(wanted: boolean, list: readonly unknown[]): boolean {
  return !wanted || new Set(list.map((element) => canonicalJson(element))).size === list.length;
}
