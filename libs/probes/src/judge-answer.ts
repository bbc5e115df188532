import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { canonicalJson, sha256Digest } from '#libs/protocol';
import type { Expectation } from './expectation.js';

const resultSchema = z.looseObject({
  content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })).default([]),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().default(false),
});

/** The result of a `tools/call`. */
export type ToolResult = Readonly<Record<string, unknown>>;

/** Whether an answer is as expected, and which answer it was. */
export interface Judgement {
  /** What is not as expected; empty when the probe passes. */
  readonly reasons: readonly string[];
  /** SHA-256 of the answer without its `_meta`: the same for the same answer. */
  readonly digest: string;
}

/** Compares a tool's result with what is expected of it, in time linear in their sizes. */
export function judgeAnswer(expected: Expectation, given: unknown, latencyMs: number): Judgement {
  const parsed = resultSchema.safeParse(given);
  if (!parsed.success) return { reasons: ['the answer is not the result of a tool'], digest: digestOf(given) };
  const { content, isError } = parsed.data;
  const result: unknown = given;
  const reasons = [
    ...(isError === (expected.outcome === 'tool_error') ? [] : [isError ? 'the tool failed' : 'the tool did not fail']),
    ...(expected.contains === undefined ? [] : differences(expected.contains, result, '')),
    ...Object.entries(expected.values ?? {}).flatMap(([pointer, value]) =>
      isDeepStrictEqual(valueAt(result, pointer), value) ? [] : [`${pointer} is not as expected`],
    ),
    ...textFault(expected.text, content),
    ...latencyFault(expected.latency_ms_max, latencyMs),
  ];
  const { structuredContent } = parsed.data;
  return { reasons, digest: digestOf({ content, structuredContent, isError }) };
}

function digestOf(value: unknown): string {
  return sha256Digest(canonicalJson(value ?? null));
}

function textFault(
  wanted: string | undefined,
  content: ReadonlyArray<{ readonly text?: string | undefined }>,
): string[] {
  if (wanted === undefined || content.some(({ text }) => text?.includes(wanted) === true)) return [];
  return ['no text of the answer holds the expected one'];
}

function latencyFault(limitMs: number | undefined, latencyMs: number): string[] {
  if (limitMs === undefined || latencyMs <= limitMs) return [];
  return [`the answer took ${Math.round(latencyMs)} ms and may take ${limitMs}`];
}

/** Where a value does not hold what is expected; of objects the expected members count, of lists every item. */
function differences(expected: unknown, given: unknown, pointer: string): string[] {
  const wrong = `${pointer === '' ? 'the result' : pointer} is not as expected`;
  if (Array.isArray(expected)) {
    if (!Array.isArray(given) || given.length !== expected.length) return [wrong];
    return expected.flatMap((item, index) => differences(item, given[index], `${pointer}/${index}`));
  }
  if (typeof expected !== 'object' || expected === null) return isDeepStrictEqual(expected, given) ? [] : [wrong];
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return [wrong];
  const members = new Map(Object.entries(given));
  return Object.entries(expected).flatMap(([name, item]) => {
    const where = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return members.has(name) ? differences(item, members.get(name), where) : [`${where} is missing`];
  });
}

/** What stands at a JSON Pointer (RFC 6901); undefined where nothing does. */
function valueAt(document: unknown, pointer: string): unknown {
  let found = document;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined;
    found = Object.getOwnPropertyDescriptor(found, name)?.value;
  }
  return found;
}
