import { isUtf8 } from 'node:buffer';
import type { Steps } from './steps.js';

/** What becomes of one text. */
type Change = (text: string) => Steps<string>;

/** Members that are a protocol's own, which a client gives back as they are. */
const OWN = new Set(['requestState', 'progressToken', 'taskId', 'nextCursor']);
const DEPTH_MAX = 200;

/**
 * A JSON-RPC message whose texts are changed one by one: names, numbers, and bytes that are UTF-8 too. Its envelope (`id`,
 * `method`, an error's code) stays. What is nested deeper than 200 levels becomes null.
 */
export function* withTexts(message: object, change: Change): Steps<object> {
  const changed: Array<[string, unknown]> = [];
  for (const [name, value] of Object.entries(message))
    changed.push([name, isPayload(name) ? yield* payload(value, change) : value]);
  return Object.fromEntries(changed);
}

function isPayload(name: string): boolean {
  return name === 'result' || name === 'params' || name === 'error';
}

function* payload(value: unknown, change: Change): Steps<unknown> {
  if (!isObject(value)) return value;
  return yield* membersOf(value, change, 0, (name) => OWN.has(name) || name === 'code');
}

function* valueOf(value: unknown, change: Change, depth: number): Steps<unknown> {
  if (typeof value === 'string') return yield* change(value);
  if (typeof value === 'number') return yield* numberOf(value, change);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEPTH_MAX) return null;
  if (Array.isArray(value)) {
    const changed: unknown[] = [];
    for (const member of value) changed.push(yield* valueOf(member, change, depth + 1));
    return changed;
  }
  return yield* membersOf({ ...value }, change, depth + 1, () => false);
}

function* membersOf(
  value: Readonly<Record<string, unknown>>,
  change: Change,
  depth: number,
  isKept: (name: string) => boolean,
): Steps<object> {
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const isBytes = typeof member === 'string' && (name === 'blob' || (name === 'data' && 'mimeType' in value));
    const shown = unused(yield* change(name), members);
    if (isKept(name)) members.set(shown, member);
    else members.set(shown, isBytes ? yield* bytesOf(member, change) : yield* valueOf(member, change, depth));
  }
  return Object.fromEntries(members);
}

/** Two names that are one now stay two. */
function unused(name: string, members: ReadonlyMap<string, unknown>): string {
  if (!members.has(name)) return name;
  return `${name} ${members.size + 1}`;
}

function* numberOf(value: number, change: Change): Steps<number | string> {
  if (!Number.isSafeInteger(value)) return value;
  const text = String(value);
  const changed = yield* change(text);
  return changed === text ? value : changed;
}

/** Bytes in base64: where they are a text, that is changed. */
function* bytesOf(base64: string, change: Change): Steps<string> {
  const bytes = Buffer.from(base64, 'base64');
  if (!isUtf8(bytes)) return base64;
  const text = bytes.toString('utf8');
  const changed = yield* change(text);
  return changed === text ? base64 : Buffer.from(changed).toString('base64');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
