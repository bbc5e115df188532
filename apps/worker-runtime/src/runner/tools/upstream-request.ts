import type { HttpBinding } from '#libs/protocol';
import type { UpstreamRequest } from './fetcher.js';
import { encodeComponent, headerValue, pathPiece, PlacementFault, plainText, queryPairs } from './place-values.js';

type Arguments = Readonly<Record<string, unknown>>;
type Placed = ReadonlyArray<{
  readonly argument: string;
  readonly name: string;
  readonly value: unknown;
  readonly style?: 'comma' | 'space' | 'pipe' | 'deep' | undefined;
}>;

const CONTENT_TYPES = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  text: 'text/plain; charset=utf-8',
} as const;
const PLACE = /\{([^{}]+)\}/g;

/** The request that a binding makes of checked arguments. @throws PlacementFault when a value cannot stand in its place */
export function buildUpstreamRequest(binding: HttpBinding, given: Arguments): UpstreamRequest {
  const body = requestBody(binding, given);
  const headers: Record<string, string> = { accept: 'application/json, */*;q=0.5', 'user-agent': 'wharf' };
  if (body !== undefined && binding.bodyType !== undefined) headers['content-type'] = CONTENT_TYPES[binding.bodyType];
  for (const [name, value] of Object.entries(binding.headers)) {
    if (body !== undefined || name.toLowerCase() !== 'content-type') headers[name.toLowerCase()] = value;
  }
  for (const { argument, name, value } of placed(binding, given, 'header'))
    headers[name.toLowerCase()] = headerValue(argument, value);
  return {
    method: binding.method,
    url: requestUrl(binding, given),
    headers,
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
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
  const pairs = placed(binding, given, 'query').flatMap(({ name, value, style }) => queryPairs(name, value, style));
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

function requestBody(binding: HttpBinding, given: Arguments): string | undefined {
  const pieces = placed(binding, given, 'body');
  const whole = pieces.find((piece) => piece.name === '');
  const hasProperties = binding.placements.some((placement) => placement.in === 'body' && placement.name !== '');
  if (binding.bodyType === undefined || (whole === undefined && !hasProperties)) return undefined;
  if (binding.bodyType === 'text') return whole === undefined ? undefined : plainText(whole.value);
  if (binding.bodyType === 'form') return formBody(pieces);
  return JSON.stringify(whole === undefined ? objectOf(pieces) : whole.value);
}

function formBody(pieces: Placed): string {
  return pieces
    .flatMap(({ name, value }) =>
      (Array.isArray(value) ? value : [value]).map(
        (item) => `${encodeComponent(name)}=${encodeComponent(plainText(item))}`,
      ),
    )
    .join('&');
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
    .map(({ argument, name, style }) => ({ argument, name, style, value: given[argument] }));
}
