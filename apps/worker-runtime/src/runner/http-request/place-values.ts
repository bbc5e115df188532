import type { Placement } from '#libs/protocol';

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

/** A value as a cookie's (RFC 6265, section 4.1.1): percent-encoded, so that it can neither end the cookie nor begin another. */
export function cookieValue(value: unknown): string {
  return encodeComponent(plainText(value));
}

/** How a value stands in a query; without a style, arrays are repeated. */
export type QueryStyle = NonNullable<Placement['style']>;

const SEPARATORS = { comma: ',', space: '%20', pipe: '%7C' } as const;

/** A value as `name=value` pairs of a query or a form, percent-encoded (OpenAPI 3.1, "Style Values"). */
export function queryPairs(name: string, value: unknown, style: QueryStyle | undefined): string[] {
  if (style === 'json') return [pair(name, JSON.stringify(value))];
  if (isObject(value)) return objectPairs(name, value, style);
  if (!Array.isArray(value)) return [pair(name, plainText(value))];
  if (style === undefined || style === 'deep' || style === 'exploded')
    return value.map((item) => pair(name, plainText(item)));
  return joined(name, value, SEPARATORS[style]);
}

function objectPairs(name: string, value: object, style: Exclude<QueryStyle, 'json'> | undefined): string[] {
  if (style === undefined) return [pair(name, plainText(value))];
  const entries = Object.entries(value);
  if (style === 'deep') return entries.flatMap(([property, item]) => queryPairs(`${name}[${property}]`, item, 'deep'));
  if (style === 'exploded') return entries.flatMap(([property, item]) => queryPairs(property, item, undefined));
  return joined(name, entries.flat(), SEPARATORS[style]);
}

function pair(name: string, text: string): string {
  return `${encodeComponent(name)}=${encodeComponent(text)}`;
}

function joined(name: string, items: readonly unknown[], separator: string): string[] {
  const texts = items.map((item) => encodeComponent(plainText(item)));
  return texts.length === 0 ? [] : [`${encodeComponent(name)}=${texts.join(separator)}`];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
