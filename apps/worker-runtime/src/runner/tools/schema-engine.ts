import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

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
    code: { regExp: Object.assign(tolerantPattern, { code: '' }) },
  });
  if (formats === 'checked') addFormats.default(engine);
  return engine.compile(schema);
}

/** A `pattern` as ECMA-262 with Unicode reads it, or without, which many published schemas need. @throws SyntaxError */
export function tolerantPattern(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return new RegExp(pattern);
  }
}
