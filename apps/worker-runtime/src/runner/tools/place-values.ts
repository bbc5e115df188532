/** An argument that cannot go where its tool puts it; the message tells the agent what to send instead. */
export class PlacementFault extends Error {
  override readonly name = 'PlacementFault';
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;
// oxlint-disable-next-line no-control-regex -- the characters RFC 9110 section 5.5 allows in a field value, as bytes
const FIELD_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** A value as plain text: text as it is, numbers and booleans in their JSON form, structures as JSON. */
export function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * A value as one piece of a path (RFC 3986 section 3.3): everything but unreserved characters is percent-encoded, so no
 * value can add a segment, a query or a fragment. Empty values and dot segments, which change which resource is meant,
 * are refused, also where an upstream would decode `%2F` again. @throws PlacementFault
 */
export function pathPiece(argument: string, value: unknown): string {
  const texts = (Array.isArray(value) ? value : [value]).map(plainText);
  const text = texts.join(',');
  if (text === '') throw new PlacementFault(`${argument} must not be empty: it is part of the path.`);
  if (CONTROL.test(text)) throw new PlacementFault(`${argument} must not contain control characters.`);
  if (hasDotSegment(text)) throw new PlacementFault(`${argument} must not contain "." or ".." as a path segment.`);
  return texts.map(encodeComponent).join(',');
}

/** A value as a header field value. @throws PlacementFault */
export function headerValue(argument: string, value: unknown): string {
  const text = Array.isArray(value) ? value.map(plainText).join(',') : plainText(value);
  if (!FIELD_VALUE.test(text))
    throw new PlacementFault(
      `${argument} goes into a header: it must not contain line breaks, control characters or characters outside Latin-1.`,
    );
  return text.trim();
}

/** How a value stands in a query; without a style, arrays are repeated. */
export type QueryStyle = 'comma' | 'space' | 'pipe' | 'deep';

const SEPARATORS = { comma: ',', space: '%20', pipe: '%7C' } as const;

/** A value as `name=value` pairs of a query, percent-encoded. */
export function queryPairs(name: string, value: unknown, style: QueryStyle | undefined): string[] {
  const key = encodeComponent(name);
  if (style === 'deep' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([property, item]) => queryPairs(`${name}[${property}]`, item, undefined));
  }
  if (!Array.isArray(value)) return [`${key}=${encodeComponent(plainText(value))}`];
  const items = value.map((item) => encodeComponent(plainText(item)));
  if (style === undefined || style === 'deep') return items.map((item) => `${key}=${item}`);
  return items.length === 0 ? [] : [`${key}=${items.join(SEPARATORS[style])}`];
}

/** Percent-encodes everything but unreserved characters (RFC 3986 section 2.3). */
export function encodeComponent(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hasDotSegment(text: string): boolean {
  return [text, decodedOnce(text)].some((form) =>
    form.split(/[/\\]/).some((segment) => segment === '.' || segment === '..'),
  );
}

function decodedOnce(text: string): string {
  return text.replace(/%2e/gi, '.').replace(/%2f/gi, '/').replace(/%5c/gi, '\\');
}
