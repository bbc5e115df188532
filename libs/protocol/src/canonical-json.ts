import { createHash } from 'node:crypto';

/** Names of one object that are sorted by hand. */
const FEW = 24;
/** Names whose text is remembered. */
const NAMES_MAX = 512;
const NAME_LENGTH_MAX = 64;

/** JSON with object keys sorted by code unit and no white space (the JSON subset of RFC 8785 that our values use). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  let text = '{';
  for (const name of sorted(Object.keys(value))) {
    const item: unknown = (value as Readonly<Record<string, unknown>>)[name]; // an object, seen above
    if (item === undefined) continue;
    text += text.length === 1 ? written(name) : `,${written(name)}`;
    text += canonicalJson(item);
  }
  return `${text}}`;
}

/** Names by code unit, as RFC 8785 says; a few are in their places sooner than a sort has begun. */
function sorted(names: string[]): string[] {
  if (names.length > FEW) return names.sort();
  for (let from = 1; from < names.length; from += 1) {
    const name = names[from] ?? '';
    let at = from;
    for (; at > 0 && (names[at - 1] ?? '') > name; at -= 1) names[at] = names[at - 1] ?? '';
    names[at] = name;
  }
  return names;
}

/** Names as JSON, with their colon: records have the same ones over and over. */
const writtenNames = new Map<string, string>();

function written(name: string): string {
  const known = writtenNames.get(name);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(name)}:`;
  if (name.length > NAME_LENGTH_MAX) return text;
  // Begun anew when it is full: who has names of many kinds must not keep everybody else's out for good.
  if (writtenNames.size >= NAMES_MAX) writtenNames.clear();
  writtenNames.set(name, text);
  return text;
}

/** `sha256:` and the hex digest of some bytes. */
export function sha256Digest(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
