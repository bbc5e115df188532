import type { CallToolResult } from '@modelcontextprotocol/server';
import { errorResult } from '../results/results.js';

/** Counts the calls of tools that are under way, for tools whose owner bounds them. */
export class ToolSlots {
  readonly #taken = new Map<string, number>();

  /** Runs a call of a tool where fewer than `max` are under way, else tells its agent that nothing was done. */
  async within(tool: string, max: number, run: () => Promise<CallToolResult>): Promise<CallToolResult> {
    const taken = this.#taken.get(tool) ?? 0;
    if (taken >= max)
      return errorResult(
        `${max} ${max === 1 ? 'call' : 'calls'} of this tool may be under way at once, and as many are. Nothing was done. Try again shortly.`,
      );
    this.#taken.set(tool, taken + 1);
    try {
      return await run();
    } finally {
      this.#leave(tool);
    }
  }

  #leave(tool: string): void {
    const left = (this.#taken.get(tool) ?? 1) - 1;
    if (left === 0) this.#taken.delete(tool);
    else this.#taken.set(tool, left);
  }
}
