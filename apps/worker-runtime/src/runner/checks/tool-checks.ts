import type { HttpBinding, ListedDefinition } from '#libs/protocol';
import { ArgumentCheck } from './arguments.js';
import { OutputCheck } from './output.js';
import { ResultShape } from './result-shape.js';

/** What is checked around one call of a tool. */
export interface ToolChecks {
  readonly arguments: ArgumentCheck;
  /** The check its structured result must pass, where it promises one. */
  readonly output: OutputCheck | undefined;
  /** What is taken out of the upstream's answer before. */
  readonly shape: ResultShape | undefined;
}

/** Compiles a tool's checks; `name` is the name agents know it by. */
export function compileChecks(
  name: string,
  { inputSchema, outputSchema, http }: ListedDefinition & { readonly http?: HttpBinding },
): ToolChecks {
  return {
    arguments: new ArgumentCheck(name, inputSchema),
    output: outputSchema === undefined ? undefined : new OutputCheck(outputSchema),
    shape: http?.shape === undefined ? undefined : new ResultShape(http.shape),
  };
}
