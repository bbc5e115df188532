import type { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { CheckBudget } from './check-budget.js';

/** Formats whose check takes more than a little for each character, and what it takes for a text of such a length. */
const STEPS: Readonly<Record<string, (length: number) => number>> = {
  /** Goes back over what it has read, from each character. */
  url: (length) => (length * length) / 40,
  /** Compiles it. */
  regex: (length) => length * 40,
};

/** Has an engine check `format`, within a budget. */
export function addBoundedFormats(engine: Ajv2020, budget: CheckBudget): void {
  addFormats.default(engine);
  for (const [format, stepsOf] of Object.entries(STEPS)) {
    const known = engine.formats[format];
    const test = known instanceof RegExp ? (text: string) => known.test(text) : known;
    if (typeof test !== 'function') throw new Error(`the format ${format} is not checked as it was`);
    const validate = (text: string): boolean => {
      budget.spend(stepsOf(text.length), { kind: 'format', text, format });
      return test(text) === true;
    };
    engine.addFormat(format, { type: 'string', validate });
  }
}
