import { at, type Problems } from './problems.js';

/** A URL template taken apart: where it goes, and the arguments that stand in its path. */
export interface UrlTemplate {
  readonly origin: string;
  readonly places: readonly string[];
}

const PLACE = /\{([^{}]*)\}/g;
const PLACE_NAME = /^[A-Za-z0-9_.$-]{1,128}$/;
const AUTHORITY = /^(https?):\/\/([^/?#{}@\\\s]+)(?=[/?#]|$)/i;

/** Reads a URL template; undefined after noting why it cannot be used. Only its path may have places, so its origin is fixed. */
export function readUrlTemplate(problems: Problems, pointer: string, template: string): UrlTemplate | undefined {
  const refuse = (message: string): undefined => void problems.add(pointer, message);
  if (!AUTHORITY.test(template))
    return refuse(
      'The URL must be absolute and begin with a fixed http:// or https:// origin without user name, like https://api.example.com/items/{id}.',
    );
  const [path = '', query] = template.split('?', 2);
  if (template.includes('#')) return refuse('The URL must not have a fragment (#).');
  if (query !== undefined && /[{}]/.test(query))
    return refuse('Places may stand only in the path. Give arguments of the query as placements with "in": "query".');
  const places = [...path.matchAll(PLACE)].map((found) => found[1] ?? '');
  if (/[{}]/.test(path.replace(PLACE, '')))
    return refuse('The braces of the URL do not pair up. Write places as {argument}.');
  const odd = places.find((place) => !PLACE_NAME.test(place));
  if (odd !== undefined)
    return refuse(`{${odd.slice(0, 64)}} is not a place: use letters, digits, "_", "-", "." or "$".`);
  const probe = template.replace(PLACE, 'x');
  if (!URL.canParse(probe) || hasDotSegment(path)) return refuse('This is not a usable URL.');
  return { origin: new URL(probe).origin, places: [...new Set(places)] };
}

function hasDotSegment(path: string): boolean {
  return path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
}

/** Notes a problem for a header that a tool may not set, because egress or the transport owns it or it would carry a secret. */
export function refuseHeader(problems: Problems, pointer: string, name: string): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(name))
    problems.add(pointer, `${JSON.stringify(name.slice(0, 64))} is not a header name (RFC 9110).`);
  else if (isCredentialHeader(name))
    problems.add(
      pointer,
      `${name} carries credentials. Name a secret in "credentials" instead, so that it is kept safe.`,
    );
  else if (isTransportHeader(name)) problems.add(pointer, `${name} belongs to the transport and cannot be set.`);
}

/** The name of a cookie (RFC 6265, section 4.1.1). */
export const COOKIE_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;

/** Whether a header carries credentials, which only egress adds. */
export function isCredentialHeader(name: string): boolean {
  return /^(?:authorization|proxy-authorization|cookie|set-cookie)$/i.test(name);
}

/** Whether a header belongs to the HTTP connection itself. */
export function isTransportHeader(name: string): boolean {
  return /^(?:host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect|proxy-.*|x-forwarded-.*|forwarded|via)$/i.test(
    name,
  );
}

/** Notes a problem for every fixed header that may not be set or has a value that is not one line. */
export function refuseFixedHeaders(
  problems: Problems,
  pointer: string,
  headers: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(headers)) {
    refuseHeader(problems, at(pointer, name), name);
    if (!/^[\t\u0020-\u007e]*$/.test(value))
      problems.add(at(pointer, name), 'A header value must be one line of printable ASCII.');
  }
}
