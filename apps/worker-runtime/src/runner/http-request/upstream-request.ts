import type { HttpBinding, Placement } from '#libs/protocol';
import type { UpstreamRequest } from './fetcher.js';
import { multipartBody } from './multipart.js';
import { cookieValue, headerValue, pathPiece, PlacementFault, plainText, queryPairs } from './place-values.js';

type Arguments = Readonly<Record<string, unknown>>;
type Placed = ReadonlyArray<Placement & { readonly value: unknown }>;

const CONTENT_TYPES = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  text: 'text/plain; charset=utf-8',
} as const;
const PLACE = /\{([^{}]+)\}/g;

/** The request that a binding makes of checked arguments. @throws PlacementFault when a value cannot stand in its place */
export function buildUpstreamRequest(binding: HttpBinding, given: Arguments): UpstreamRequest {
  const { body, type } = requestBody(binding, given);
  const headers: Record<string, string> = { accept: 'application/json, */*;q=0.5', 'user-agent': 'wharf' };
  if (type !== undefined) headers['content-type'] = type;
  for (const [name, value] of Object.entries(binding.headers)) {
    if (name.toLowerCase() !== 'content-type' || mayNameType(binding, body)) headers[name.toLowerCase()] = value;
  }
  for (const { argument, name, value } of placed(binding, given, 'header'))
    headers[name.toLowerCase()] = headerValue(argument, value);
  const cookies = placed(binding, given, 'cookie').map(({ name, value }) => `${name}=${cookieValue(value)}`);
  if (cookies.length > 0) headers['cookie'] = cookies.join('; ');
  return {
    method: binding.method,
    url: requestUrl(binding, given),
    headers,
    ...(body === undefined ? {} : { body: body }),
    timeoutMs: binding.timeoutMs,
  };
}

function requestUrl(binding: HttpBinding, given: Arguments): string {
  const paths = new Map(placed(binding, given, 'path').map((piece) => [piece.name, piece]));
  const filled = binding.urlTemplate.replace(PLACE, (_, place: string) => {
    const piece = paths.get(place);
    if (piece === undefined) throw new PlacementFault(`${place} is missing: it is part of the path.`);
    return pathPiece(piece.argument, piece.value);
  });
  const pairs = queryOf(binding, placed(binding, given, 'query'));
  const url = pairs.length === 0 ? filled : `${filled}${filled.includes('?') ? '&' : '?'}${pairs.join('&')}`;
  refuseMoved(binding.urlTemplate, filled);
  return url;
}

/** Values side by side can still form a dot segment; then the URL would name another resource. */
function refuseMoved(template: string, filled: string): void {
  const path = filled.split('?', 1)[0] ?? '';
  if (filled === template) return; // nothing was put in
  const dotted = path.split('/').some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
  if (dotted || new URL(filled).origin !== new URL(template.replace(PLACE, 'x')).origin) {
    throw new PlacementFault('The arguments would change which resource the URL names. Send plain names and ids.');
  }
}

/** The pairs of a query; properties of an exploded object may not take the place of another parameter. */
function queryOf(binding: HttpBinding, pieces: Placed): string[] {
  const { searchParams } = new URL(binding.urlTemplate.replace(PLACE, 'x'));
  const named = new Set(binding.placements.filter((placement) => placement.in === 'query').map(({ name }) => name));
  return pieces.flatMap(({ argument, name, value, style }) => {
    const taken = style === 'exploded' ? ownNames(value).find((key) => named.has(key) && key !== name) : undefined;
    const fixed = style === 'exploded' ? ownNames(value).find((key) => searchParams.has(key)) : undefined;
    if (taken !== undefined || fixed !== undefined)
      throw new PlacementFault(`${argument} must not have ${JSON.stringify(taken ?? fixed)}: it is set already.`);
    return queryPairs(name, value, style);
  });
}

function ownNames(value: unknown): string[] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : [];
}

/** A fixed content type replaces ours; a multipart body's names its boundary and stays. */
function mayNameType({ bodyType }: HttpBinding, body: Buffer | undefined): boolean {
  return body !== undefined && bodyType !== 'multipart';
}

interface Body {
  readonly body?: Buffer;
  readonly type?: string;
}

function requestBody(binding: HttpBinding, given: Arguments): Body {
  const pieces = placed(binding, given, 'body');
  const { bodyType } = binding;
  const whole = pieces.find((piece) => piece.name === '');
  const hasProperties = binding.placements.some((placement) => placement.in === 'body' && placement.name !== '');
  if (bodyType === undefined || (whole === undefined && !hasProperties)) return {};
  if (bodyType === 'multipart') return multipartBody(pieces);
  const text = bodyText(bodyType, pieces, whole);
  return text === undefined ? {} : { body: Buffer.from(text), type: CONTENT_TYPES[bodyType] };
}

function bodyText(
  bodyType: keyof typeof CONTENT_TYPES,
  pieces: Placed,
  whole: Placed[number] | undefined,
): string | undefined {
  if (bodyType === 'text') return whole === undefined ? undefined : plainText(whole.value);
  if (bodyType === 'form') return pieces.flatMap(({ name, value, style }) => queryPairs(name, value, style)).join('&');
  return JSON.stringify(whole === undefined ? objectOf(pieces) : whole.value);
}

/** An object of properties whose names are the document's, `__proto__` included. */
function objectOf(pieces: Placed): object {
  const body: object = Object.create(null);
  for (const { name, value } of pieces) Object.defineProperty(body, name, { value, enumerable: true });
  return body;
}

function placed(binding: HttpBinding, given: Arguments, place: HttpBinding['placements'][number]['in']): Placed {
  return binding.placements
    .filter(
      (placement) =>
        placement.in === place && Object.hasOwn(given, placement.argument) && given[placement.argument] !== undefined,
    )
    .map((placement) => ({ ...placement, value: given[placement.argument] }));
}
