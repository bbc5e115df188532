import type { JsonSchema } from './json-schemas.js';

/** An operation of the document. */
export interface Operation extends Record<string, unknown> {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly parameters: ReadonlyArray<{
    name: string;
    in: string;
    required: boolean;
    schema: JsonSchema;
    description?: string;
  }>;
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { schema: JsonSchema }>>;
  };
  readonly responses: Readonly<Record<string, OperationResponse>>;
  readonly 'x-permission': string | null;
  /** Which service answers, where it is not this one. */
  readonly 'x-served-by'?: string;
}

/** One answer of an operation. */
export interface OperationResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { description: string; schema: JsonSchema }>>;
  readonly content?: Readonly<Record<string, { schema: JsonSchema }>>;
}
