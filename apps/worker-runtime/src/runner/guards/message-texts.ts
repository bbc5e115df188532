import { isUtf8 } from 'node:buffer';

/** What becomes of one text. */
type Change = (text: string) => string;

/** Members that are a protocol's own, which a client gives back as they are. */
const OWN = new Set(['requestState', 'progressToken', 'taskId', 'nextCursor']);
const DEPTH_MAX = 200;

/**
 * A JSON-RPC message whose texts are changed one by one: names, numbers, and bytes that are UTF-8 too. Its envelope (`id`,
 * `method`, an error's code) stays. What is nested deeper than 200 levels becomes null.
 */
export function withTexts(message: object, change: Change): object {
  const changed = Object.entries(message).map(([name, value]) => [
    name,
    isPayload(name) ? payload(value, change) : value,
  ]);
  return Object.fromEntries(changed) as object;
}

function isPayload(name: string): boolean {
  return name === 'result' || name === 'params' || name === 'error';
}

function payload(value: unknown, change: Change): unknown {
  if (!isObject(value)) return value;
  return membersOf(value, change, 0, (name) => OWN.has(name) || name === 'code');
}

function valueOf(value: unknown, change: Change, depth: number): unknown {
  if (typeof value === 'string') return change(value);
  if (typeof value === 'number') return numberOf(value, change);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEPTH_MAX) return null;
  if (Array.isArray(value)) return value.map((member) => valueOf(member, change, depth + 1));
  return membersOf({ ...value }, change, depth + 1, () => false);
}

function membersOf(
  value: Readonly<Record<string, unknown>>,
  change: Change,
  depth: number,
  isKept: (name: string) => boolean,
): object {
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    const isBytes = typeof member === 'string' && (name === 'blob' || (name === 'data' && 'mimeType' in value));
    const left = isKept(name) ? member : isBytes ? bytesOf(member, change) : valueOf(member, change, depth);
    members.set(unused(change(name), members), left);
  }
  return Object.fromEntries(members);
}

/** Two names that are one now stay two. */
function unused(name: string, members: ReadonlyMap<string, unknown>): string {
  if (!members.has(name)) return name;
  return `${name} ${members.size + 1}`;
}

function numberOf(value: number, change: Change): number | string {
  if (!Number.isSafeInteger(value)) return value;
  const text = String(value);
  const changed = change(text);
  return changed === text ? value : changed;
}

/** Bytes in base64: where they are a text, that is changed. */
function bytesOf(base64: string, change: Change): string {
  const bytes = Buffer.from(base64, 'base64');
  if (!isUtf8(bytes)) return base64;
  const text = bytes.toString('utf8');
  const changed = change(text);
  return changed === text ? base64 : Buffer.from(changed).toString('base64');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
