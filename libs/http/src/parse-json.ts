import { AppError } from '#libs/errors';

/** Bounds of a JSON text, checked before it is parsed. */
export interface JsonBounds {
  /** Objects and arrays within each other; default 64. */
  readonly depthMax?: number;
  /** Members of objects and elements of arrays altogether; default 100,000. */
  readonly keysMax?: number;
  /** Refuses a name that stands twice in one object: readers differ in which one counts. */
  readonly names?: 'distinct';
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;

/** The index of the quote that ends the string beginning at `start`. */
function endOfString(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(QUOTE, start + 1); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (bytes[at - 1 - backslashes] === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return bytes.length;
}

/** Refuses what is too deep or has too many members; returns how many commas stand between members. */
function refuseBeyond(bytes: Buffer, depthMax: number, keysMax: number): number {
  let depth = 0;
  let members = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === 0x7b || byte === 0x5b) depth += 1;
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    else if (byte === COMMA) members += 1;
    if (depth > depthMax)
      throw new AppError('invalid_request', { message: `The JSON is nested deeper than ${depthMax} levels.` });
    if (members > keysMax)
      throw new AppError('invalid_request', { message: `The JSON has more than ${keysMax} members.` });
  }
  return members;
}

/** How many commas stand between the members of what was parsed; fewer than were sent where a name stood twice. */
function commasIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const members: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  return members.reduce<number>((sum, member) => sum + commasIn(member), Math.max(0, members.length - 1));
}

function refuseRepeatedNames(value: unknown, commas: number): void {
  if (commasIn(value) === commas) return;
  throw new AppError('invalid_request', { message: 'A name stands twice in one object of the JSON. Send it once.' });
}

/**
 * Parses JSON from outside, without a byte order mark (RFC 8259 §8.1: whoever reads it next may refuse one), within bounds of depth and number of members, so that a small body cannot cost much.
 * @throws AppError `malformed_json` or `invalid_request`
 */
export function parseJson(bytes: Buffer, bounds: JsonBounds = {}): unknown {
  const commas = refuseBeyond(bytes, bounds.depthMax ?? 64, bounds.keysMax ?? 100_000);
  const value = parse(bytes);
  if (bounds.names === 'distinct') refuseRepeatedNames(value, commas);
  return value;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new AppError('malformed_json');
  }
}
