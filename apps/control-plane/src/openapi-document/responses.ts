import { ERROR_CATALOGUE, type ErrorCode } from '#libs/errors';
import type { OperationResponse } from './operation.js';
import type { DocumentedRoute } from './documented-route.js';
import type { JsonSchemas } from './json-schemas.js';

const PROBLEM_CONTENT = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

const REQUEST_ID = {
  description: 'The id of the request, by which its records are found.',
  schema: { type: 'string' },
};
const ETAG = { description: 'The entity tag of what is shown, for `If-Match`.', schema: { type: 'string' } };
const REPLAYED = {
  description: '`true` where this is the first answer to the same `Idempotency-Key`, given again.',
  schema: { type: 'string' },
};

const RETRY_AFTER = { description: 'Seconds after which to try again.', schema: { type: 'integer' } };
/** draft-ietf-httpapi-ratelimit-headers-10. */
const RATE_LIMIT = {
  'Retry-After': RETRY_AFTER,
  RateLimit: {
    description: 'The limit that is full, and the seconds until it is free: `"management.calls_per_minute";r=0;t=3`.',
    schema: { type: 'string' },
  },
  'RateLimit-Policy': {
    description:
      'What that limit gives: so many (`q`) in a window of seconds (`w`), or at once (`qu="concurrent-requests"`).',
    schema: { type: 'string' },
  },
};

/** What refusals of a status have beside what every answer has. */
function headersOf(status: number, codes: readonly ErrorCode[]): OperationResponse['headers'] {
  if (status === 429) return RATE_LIMIT;
  return status === 503 || codes.includes('idempotency_key_in_use') ? { 'Retry-After': RETRY_AFTER } : {};
}

/** Every way in which a route refuses: by what it takes, by who may call it, and what its contract adds. */
function refusalsOf({ method, access, contract }: DocumentedRoute): ErrorCode[] {
  const { params, body, etag, refuses = [] } = contract;
  const writes = etag === 'compared' || etag === 'required';
  return [
    'invalid_request',
    ...(access.kind === 'public' ? [] : (['unauthenticated', 'forbidden', 'rate_limited'] as const)),
    ...(params === undefined ? [] : (['not_found'] as const)),
    ...(body === undefined ? [] : (['request_timeout', 'too_large', 'unsupported_media_type'] as const)),
    ...(method === 'POST' ? (['idempotency_key_in_use', 'idempotency_key_reused'] as const) : []),
    ...(writes ? (['precondition_failed'] as const) : []),
    ...(etag === 'required' ? (['precondition_required'] as const) : []),
    'internal',
    'unavailable',
    ...refuses,
  ];
}

/** Refusals by status, each status once with the meanings of all its codes. */
function problemsOf(route: DocumentedRoute): Array<[string, OperationResponse]> {
  // A form that is sent from a page is refused with that page again.
  const form = route.method === 'POST' && route.contract.answer.mediaType === 'text/html';
  const byStatus = Map.groupBy(new Set(refusalsOf(route)), (code) => ERROR_CATALOGUE[code].status);
  return [...byStatus].map(([status, codes]) => [
    String(status),
    {
      description: [...new Set(codes.map((code) => ERROR_CATALOGUE[code].title))].join(' Or: '),
      headers: { 'X-Request-Id': REQUEST_ID, ...headersOf(status, codes) },
      content: form ? { ...PROBLEM_CONTENT, 'text/html': { schema: { type: 'string' } } } : PROBLEM_CONTENT,
    },
  ]);
}

/** Every answer that a route gives, by status. */
export function responsesOf(route: DocumentedRoute, schemas: JsonSchemas): Record<string, OperationResponse> {
  const { method, contract } = route;
  const { status, means, schema, mediaType = 'application/json' } = contract.answer;
  const content = schema === undefined ? {} : { content: { [mediaType]: { schema: schemas.of(schema, 'output') } } };
  const headers = {
    'X-Request-Id': REQUEST_ID,
    ...(contract.etag === undefined || schema === undefined ? {} : { ETag: ETAG }),
    ...(method === 'POST' ? { 'Idempotency-Replayed': REPLAYED } : {}),
  };
  const known = { description: 'It is still what `If-None-Match` names.', headers };
  return Object.fromEntries([
    [String(status), { description: means, headers, ...content }],
    ...(contract.etag === 'shown' ? [['304', known] as const] : []),
    ...problemsOf(route),
  ]);
}
