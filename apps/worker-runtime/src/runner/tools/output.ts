import type { ValidateFunction } from 'ajv';
import { compileSchema } from './schema-engine.js';

const PROBLEMS_MAX = 5;

/** The promise a tool makes about its structured result. Formats are not judged: the data is the upstream's. */
export class OutputCheck {
  readonly #validate: ValidateFunction;

  constructor(schema: Readonly<Record<string, unknown>>) {
    this.#validate = compileSchema(schema, { formats: 'ignored' });
  }

  /** Where a value breaks the promise; empty when it keeps it. */
  findProblems(value: unknown): string[] {
    if (this.#validate(value)) return [];
    const errors = this.#validate.errors ?? [];
    return errors
      .slice(0, PROBLEMS_MAX)
      .map((error) => `${error.instancePath || '/'} ${error.message ?? 'does not match'}`);
  }
}
