import { CheckLimit } from '../schemas/check-budget.js';
import { compileSchema, type SchemaCheck } from '../schemas/schema-engine.js';

const PROBLEMS_MAX = 5;

/** The promise a tool makes about its structured result. Formats are not judged: the data is the upstream's. */
export class OutputCheck {
  readonly #check: SchemaCheck;

  constructor(schema: Readonly<Record<string, unknown>>) {
    this.#check = compileSchema(schema, { formats: 'ignored' });
  }

  /** Where a value breaks the promise; empty when it keeps it. */
  findProblems(value: unknown): string[] {
    try {
      return this.#check(value)
        .slice(0, PROBLEMS_MAX)
        .map((error) => `${error.instancePath || '/'} ${error.message ?? 'does not match'}`);
    } catch (error) {
      if (error instanceof CheckLimit) return [error.message];
      throw error;
    }
  }
}
