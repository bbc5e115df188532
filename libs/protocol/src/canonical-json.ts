import { createHash } from 'node:crypto';

/** JSON with object keys sorted by code unit and no white space (the JSON subset of RFC 8785 that our values use). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  // Sorting names alone, by code unit as RFC 8785 says, takes a fraction of what sorting entries does.
  const names = Object.keys(value).sort();
  let text = '{';
  for (const name of names) {
    const item: unknown = (value as Readonly<Record<string, unknown>>)[name]; // an object, seen above
    if (item === undefined) continue;
    text += `${text.length === 1 ? '' : ','}${JSON.stringify(name)}:${canonicalJson(item)}`;
  }
  return `${text}}`;
}

/** `sha256:` and the hex digest of some bytes. */
export function sha256Digest(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
