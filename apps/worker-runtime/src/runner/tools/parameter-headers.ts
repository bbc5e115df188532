/** An argument that modern clients mirror in a header (MCP 2026-07-28, transports, "x-mcp-header"). */
export interface ParameterHeader {
  /** Property names from the root of the arguments. */
  readonly path: readonly string[];
  /** The header's name in lower case, `mcp-param-…`. */
  readonly header: string;
}

/** What a schema says about mirrored arguments, and every rule it breaks. */
export interface ParameterHeaderScan {
  readonly declarations: readonly ParameterHeader[];
  readonly faults: ReadonlyArray<{ readonly pointer: string; readonly message: string }>;
}

const KEYWORD = 'x-mcp-header';
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
const TYPES = new Set(['string', 'integer', 'boolean']);
const SENTINEL = /^=\?base64\?(.*)\?=$/s;
const CANONICAL_BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** Finds the `x-mcp-header` declarations of an input schema, which must be bounded in depth. */
export function scanParameterHeaders(schema: unknown): ParameterHeaderScan {
  const scan: Scan = { declarations: [], faults: [], seen: new Set() };
  visit(scan, schema, { pointer: '', path: [], reachable: true });
  return scan;
}

/** What is wrong with a request's headers for these arguments, or nothing. Absent and null arguments need no header. */
export function findHeaderMismatch(
  declarations: readonly ParameterHeader[],
  given: unknown,
  headers: Readonly<Record<string, string>>,
): string | undefined {
  for (const { path, header } of declarations) {
    const value = valueAt(given, path);
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue;
    const argument = path.join('.');
    const raw = Object.hasOwn(headers, header) ? headers[header]?.replace(/^[\t ]+|[\t ]+$/g, '') : undefined;
    if (raw === undefined)
      return `The argument ${argument} must be mirrored in the header ${header}, which is missing.`;
    const decoded = decodeHeader(raw);
    if (decoded === undefined) return `The header ${header} is not valid Base64 in its =?base64?…?= form.`;
    if (!isEqual(decoded, value)) return `The header ${header} does not match the argument ${argument}.`;
  }
  return undefined;
}

/** The headers that mirror these arguments, for an upstream that wants them. */
export function mirroredHeaders(declarations: readonly ParameterHeader[], given: unknown): Record<string, string> {
  const mirrored = declarations.flatMap(({ path, header }) => {
    const value = valueAt(given, path);
    const mirrors = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    return mirrors ? [[header, encodeHeader(String(value))] as const] : [];
  });
  return Object.fromEntries(mirrored);
}

interface Scan {
  readonly declarations: ParameterHeader[];
  readonly faults: Array<{ readonly pointer: string; readonly message: string }>;
  readonly seen: Set<string>;
}

interface Place {
  readonly pointer: string;
  readonly path: readonly string[];
  readonly reachable: boolean;
}

function visit(scan: Scan, node: unknown, place: Place): void {
  if (typeof node !== 'object' || node === null) return;
  if (Array.isArray(node)) {
    node.forEach((child, index) =>
      visit(scan, child, { ...place, pointer: `${place.pointer}/${index}`, reachable: false }),
    );
    return;
  }
  for (const [keyword, child] of Object.entries(node)) {
    const pointer = `${place.pointer}/${escapeToken(keyword)}`;
    if (keyword === KEYWORD) declare(scan, node, child, { ...place, pointer });
    else if (keyword === 'properties' && typeof child === 'object' && child !== null)
      visitProperties(scan, child, { ...place, pointer });
    else if (!DATA_KEYWORDS.has(keyword)) visit(scan, child, { ...place, pointer, reachable: false });
  }
}

const DATA_KEYWORDS = new Set(['enum', 'const', 'default', 'examples', 'example']);

function visitProperties(scan: Scan, properties: object, place: Place): void {
  for (const [name, child] of Object.entries(properties)) {
    visit(scan, child, {
      pointer: `${place.pointer}/${escapeToken(name)}`,
      path: [...place.path, name],
      reachable: place.reachable,
    });
  }
}

function declare(scan: Scan, schema: object, name: unknown, place: Place): void {
  const fault = (message: string): void => void scan.faults.push({ pointer: place.pointer, message });
  if (!place.reachable || place.path.length === 0) {
    fault('x-mcp-header may stand only on a property reached through "properties" alone.');
  } else if (typeof name !== 'string' || !TOKEN.test(name)) {
    fault('x-mcp-header must be a header token of at most 64 characters (RFC 9110).');
  } else if (!TYPES.has(String('type' in schema ? schema.type : ''))) {
    fault('x-mcp-header may stand only on a string, integer or boolean.');
  } else if (scan.seen.has(name.toLowerCase())) {
    fault(`x-mcp-header ${JSON.stringify(name)} is used twice (letter case does not count).`);
  } else {
    scan.seen.add(name.toLowerCase());
    scan.declarations.push({ path: place.path, header: `mcp-param-${name.toLowerCase()}` });
  }
}

function escapeToken(token: string): string {
  return token.replaceAll('~', '~0').replaceAll('/', '~1');
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = Object.getOwnPropertyDescriptor(value, name)?.value;
  }
  return value;
}

function encodeHeader(text: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !SENTINEL.test(text);
  return plain ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`;
}

function decodeHeader(raw: string): string | undefined {
  const encoded = SENTINEL.exec(raw)?.[1];
  if (encoded === undefined) return raw;
  if (!CANONICAL_BASE64.test(encoded)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined; // not UTF-8: refused like bad Base64
  }
}

function isEqual(decoded: string, value: string | number | boolean): boolean {
  return typeof value === 'number' ? DECIMAL.test(decoded) && Number(decoded) === value : decoded === String(value);
}
