import { explainErrors, explainLimit } from './explain.js';
import { CheckLimit } from '../schemas/check-budget.js';
import { compileSchema, type SchemaCheck } from '../schemas/schema-engine.js';

type JsonSchema = Readonly<Record<string, unknown>>;

/** Keywords that let other subschemas declare properties of the same object. */
const COMPOSING = ['$ref', '$dynamicRef', 'allOf', 'anyOf', 'oneOf', 'if', 'dependentSchemas'];

/** The check that arguments pass before anything leaves. Arguments no schema names are refused unless the schema allows them. */
export class ArgumentCheck {
  readonly #toolName: string;
  readonly #schema: JsonSchema;
  readonly #check: SchemaCheck;

  constructor(toolName: string, schema: JsonSchema) {
    this.#toolName = toolName;
    this.#schema = schema;
    this.#check = compileSchema(closed(schema), { formats: 'checked' });
  }

  /** A text by which an agent can correct its call, or nothing when the arguments are right. */
  explainFault(given: unknown): string | undefined {
    try {
      const errors = this.#check(given);
      return errors.length === 0 ? undefined : explainErrors(this.#toolName, this.#schema, errors);
    } catch (error) {
      if (error instanceof CheckLimit) return explainLimit(this.#toolName, given, error);
      throw error;
    }
  }
}

/** The schema with unknown arguments refused at its top level, where it does not say otherwise itself. */
function closed(schema: JsonSchema): JsonSchema {
  if ('additionalProperties' in schema || 'unevaluatedProperties' in schema) return schema;
  const keyword = COMPOSING.some((name) => name in schema) ? 'unevaluatedProperties' : 'additionalProperties';
  return { ...schema, [keyword]: false };
}
