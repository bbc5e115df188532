import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { canonicalJson } from '#libs/protocol';
import { addBoundedFormats } from './bounded-formats.js';
import { boundedPattern } from './bounded-pattern.js';
import { CheckBudget } from './check-budget.js';

/** How strictly a compiled schema looks at `format`. */
export interface EngineOptions {
  readonly formats: 'checked' | 'ignored';
}

/** What is wrong with a value; nothing where it is as the schema says. @throws CheckLimit where that takes too many steps */
export type SchemaCheck = (value: unknown) => readonly ErrorObject[];

/**
 * Compiles one JSON Schema 2020-12. Every schema has an engine of its own, so that the `$id`s of different tools cannot
 * meet; nothing is ever fetched. The schema must be bounded in size and depth. @throws Error what is wrong with it
 */
export function compileSchema(schema: Readonly<Record<string, unknown>>, { formats }: EngineOptions): SchemaCheck {
  const budget = new CheckBudget();
  const engine = new Ajv2020({
    strict: false,
    allErrors: true,
    verbose: true,
    logger: false,
    meta: false,
    validateSchema: false,
    validateFormats: formats === 'checked',
    code: { regExp: Object.assign((pattern: string) => boundedPattern(pattern, budget), { code: '' }) },
  });
  if (formats === 'checked') addBoundedFormats(engine, budget);
  // The engine's own compares each element with every other: some hundred kilobytes of them keep a worker busy for minutes.
  engine.removeKeyword('uniqueItems');
  engine.addKeyword({ keyword: 'uniqueItems', type: 'array', schemaType: 'boolean', validate: holdsNoneTwice(budget) });
  const compiled = engine.compile(schema);
  return (value) => {
    budget.renew();
    return compiled(value) ? [] : (compiled.errors ?? []);
  };
}

/** Lists within lists are read once for each that holds them. */
function holdsNoneTwice(budget: CheckBudget) {
  return (
    wanted: boolean,
    list: readonly unknown[],
    _schema?: object,
    at?: { readonly instancePath: string },
  ): boolean => {
    if (!wanted) return true;
    const seen = new Set<string>();
    for (const element of list) {
      const text = canonicalJson(element);
      budget.spend(text.length, { kind: 'uniqueItems', place: at?.instancePath ?? '' });
      seen.add(text);
    }
    return seen.size === list.length;
  };
}
