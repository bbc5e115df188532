import { idempotencyKeySchema } from '../idempotency/idempotency-key.js';
import type { Operation } from './operation.js';
import type { DocumentedRoute } from './documented-route.js';
import type { JsonSchemas } from './json-schemas.js';

/** The headers that a route takes beside its credentials. */
export function headerParameters(
  { method, contract: { etag } }: DocumentedRoute,
  schemas: JsonSchemas,
): Array<Operation['parameters'][number]> {
  const { description = '', ...schema } = schemas.of(idempotencyKeySchema, 'input');
  const key = { name: 'Idempotency-Key', in: 'header', required: false, schema, description: String(description) };
  const tag = {
    name: 'If-Match',
    in: 'header',
    required: etag === 'required',
    schema: { type: 'string' },
    description: 'The `ETag` of what you read; where it was changed since, nothing happens and the answer is 412.',
  };
  const writes = etag === 'compared' || etag === 'required';
  const none = {
    name: 'If-None-Match',
    in: 'header',
    required: false,
    schema: { type: 'string' },
    description: writes
      ? '`*`: create it, and where it is there already nothing happens and the answer is 412.'
      : 'The `ETag` of what you have; where it is still that, the answer is 304 without a body.',
  };
  return [
    ...(method === 'POST' ? [key] : []),
    ...(writes ? [tag] : []),
    ...((writes && method === 'PUT') || etag === 'shown' ? [none] : []),
  ];
}
