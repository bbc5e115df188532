import { isDeepStrictEqual } from 'node:util';
import type { ListedDefinition } from '#libs/protocol';
import { compareSchemas, type SchemaChange } from './schema-changes.js';

/** What is different about one tool. */
export interface ToolChange {
  readonly name: string;
  readonly effect: SchemaChange['effect'];
  /** Of what agents send; what they sent before must still be taken. */
  readonly input: readonly SchemaChange[];
  /** Of what agents get; what they understood before must still be what comes. */
  readonly output: readonly SchemaChange[];
  readonly description: { readonly before: string; readonly after: string } | undefined;
  readonly title: { readonly before: string | undefined; readonly after: string | undefined } | undefined;
  readonly annotations: { readonly before: unknown; readonly after: unknown } | undefined;
  /** What extensions say of the tool: MCP Apps, for one, the user interface that it is shown with. */
  readonly meta: { readonly before: unknown; readonly after: unknown } | undefined;
}

/** The differences between the tools of two releases; a tool under another name is one removed and one added. */
export interface ReleaseDiff {
  readonly effect: 'none' | SchemaChange['effect'];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly ToolChange[];
}

/** What a release lists, as far as a diff needs it. */
export type ListedTool = Pick<
  ListedDefinition,
  'name' | 'title' | 'description' | 'inputSchema' | 'outputSchema' | 'annotations' | '_meta'
>;

/** Compares what agents see of two releases. */
export function diffReleases(before: readonly ListedTool[], after: readonly ListedTool[]): ReleaseDiff {
  const had = new Map(before.map((tool) => [tool.name, tool]));
  const has = new Map(after.map((tool) => [tool.name, tool]));
  const added = after.filter(({ name }) => !had.has(name)).map(({ name }) => name);
  const removed = before.filter(({ name }) => !has.has(name)).map(({ name }) => name);
  const changed = after.flatMap((tool) => {
    const old = had.get(tool.name);
    const change = old === undefined ? undefined : diffTool(old, tool);
    return change === undefined ? [] : [change];
  });
  return { effect: overall({ added, removed, changed }), added, removed, changed };
}

function overall({ added, removed, changed }: Omit<ReleaseDiff, 'effect'>): ReleaseDiff['effect'] {
  if (removed.length > 0 || changed.some(({ effect }) => effect === 'breaking')) return 'breaking';
  if (added.length > 0 || changed.some(({ effect }) => effect === 'compatible')) return 'compatible';
  return changed.length > 0 ? 'wording' : 'none';
}

function diffTool(before: ListedTool, after: ListedTool): ToolChange | undefined {
  if (isDeepStrictEqual(before, after)) return undefined;
  const input = compareSchemas(before.inputSchema, after.inputSchema);
  const output = outputChanges(before.outputSchema, after.outputSchema);
  const annotations = differing(before.annotations, after.annotations);
  const meta = differing(before._meta, after._meta);
  const effects = [
    ...input.map(({ effect }) => effect),
    ...output.map(({ effect }) => effect),
    ...(annotations === undefined ? [] : [annotationEffect(before, after)]),
    ...(meta === undefined ? [] : [metaEffect(before, after)]),
  ];
  const description = differing(before.description, after.description);
  const title = differing(before.title, after.title);
  const parts = { input, output, description, title, annotations, meta };
  const nothing = effects.length === 0 && description === undefined && title === undefined;
  return nothing ? undefined : { name: after.name, effect: worst(effects), ...parts };
}

/** What comes must be what was understood: the schemas change places. */
function outputChanges(before: unknown, after: unknown): SchemaChange[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) return [{ pointer: '', change: 'is described now', effect: 'compatible' }];
  if (after === undefined) return [{ pointer: '', change: 'is not described any more', effect: 'breaking' }];
  const broken = new Set(
    compareSchemas(after, before, 'received')
      .filter(({ effect }) => effect === 'breaking')
      .map(({ pointer }) => pointer),
  );
  return compareSchemas(before, after).map((change) => {
    if (change.effect === 'wording') return change;
    return { ...change, effect: broken.has(change.pointer) ? 'breaking' : 'compatible' };
  });
}

/** A tool that may do more than it said before needs somebody's eyes. */
function annotationEffect(
  { annotations: before }: ListedTool,
  { annotations: after }: ListedTool,
): SchemaChange['effect'] {
  const writesNow = before?.readOnlyHint === true && after?.readOnlyHint !== true;
  const destroysNow = before?.destructiveHint === false && after?.destructiveHint !== false;
  const repeats = before?.idempotentHint === true && after?.idempotentHint !== true;
  return writesNow || destroysNow || repeats ? 'breaking' : 'wording';
}

/** Who shows a tool with its user interface has nothing to show once there is none; all else is ignored where it is unknown. */
function metaEffect({ _meta: before }: ListedTool, { _meta: after }: ListedTool): SchemaChange['effect'] {
  return interfaceOf(before) !== undefined && interfaceOf(after) === undefined ? 'breaking' : 'compatible';
}

/** The UI resource of a tool (MCP Apps, SEP-1865), by its member of now or the flat one of before. */
function interfaceOf(meta: ListedTool['_meta']): unknown {
  const ui = meta?.['ui'];
  const now = typeof ui === 'object' && ui !== null && 'resourceUri' in ui ? ui.resourceUri : undefined;
  return now ?? meta?.['ui/resourceUri'];
}

function differing<Value>(before: Value, after: Value): { before: Value; after: Value } | undefined {
  return isDeepStrictEqual(before, after) ? undefined : { before, after };
}

function worst(effects: ReadonlyArray<SchemaChange['effect']>): SchemaChange['effect'] {
  return effects.includes('breaking') ? 'breaking' : effects.includes('compatible') ? 'compatible' : 'wording';
}
