import type { ToolFacts } from './rule.js';

/** What is known of a tool beside its name. */
export interface HintedTool {
  readonly name: string;
  readonly serverSlug: string;
  readonly access: 'read' | 'write';
  /** Its annotations, and `method` where it is a request; undefined for a release from before these were kept. */
  readonly hints?: Readonly<Record<string, unknown>> | undefined;
}

/** A tool as rules see it. */
export function toolFacts(tool: HintedTool): ToolFacts {
  const { method: _, ...annotations } = tool.hints ?? {};
  return {
    name: tool.name,
    server: tool.serverSlug,
    access: tool.access,
    destructive: isDestructive(tool),
    annotations,
  };
}

/**
 * A tool destroys when its release says so, or else when it is sent as DELETE. Of a release from before this was kept,
 * every tool that writes may.
 */
export function isDestructive({ hints, access }: Pick<HintedTool, 'hints' | 'access'>): boolean {
  if (hints === undefined) return access === 'write';
  const { destructiveHint: said, method } = hints;
  return typeof said === 'boolean' ? said : method === 'DELETE';
}
