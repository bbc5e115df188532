import type { ListedDefinition } from '#libs/protocol';
import { ArgumentCheck } from './arguments.js';
import { OutputCheck } from './output.js';

/** What is checked around one call of a tool. */
export interface ToolChecks {
  readonly arguments: ArgumentCheck;
  /** The check its structured result must pass, where it promises one. */
  readonly output: OutputCheck | undefined;
}

/** Compiles a tool's checks; `name` is the name agents know it by. */
export function compileChecks(name: string, { inputSchema, outputSchema }: ListedDefinition): ToolChecks {
  return {
    arguments: new ArgumentCheck(name, inputSchema),
    output: outputSchema === undefined ? undefined : new OutputCheck(outputSchema),
  };
}
