import { createHash, createHmac } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '#libs/errors';
import { canonicalJson } from '#libs/protocol';
import { actorOf } from '../access/caller.js';
import type { ManagedRequest } from '../edge/managed-request.js';

/** A request that named itself: whose name it is, and what was asked under it, both keyed hashes in hex. */
export interface NamedRequest {
  readonly keyHash: string;
  readonly requestHash: string;
}

/** The header's value: the key as it is, or quoted as the draft has it (draft-ietf-httpapi-idempotency-key-header). */
export const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 visible ASCII characters')
  .meta({
    description:
      'A name of your own for this request, for example a UUID. Sent again within 24 hours with the same request, it ' +
      'gives the first answer again and does nothing more.',
  });

/**
 * The name that a request gave itself; undefined where it gave none. Each caller has names of its own, so that nobody is
 * shown what another one was answered; who has no credentials is known by what they send. Bodies hold secrets, so what
 * is kept of them is an HMAC under `hashKey`, which a copy of the database cannot be searched with.
 * @throws AppError `invalid_request`
 */
export function namedRequest(request: ManagedRequest, hashKey: Uint8Array): NamedRequest | undefined {
  const header = request.headers['idempotency-key'];
  if (header === undefined) return undefined;
  const key = idempotencyKeySchema.safeParse(header);
  if (!key.success) {
    throw new AppError('invalid_request', {
      message: 'The header Idempotency-Key must have 1 to 255 visible ASCII characters, without spaces.',
      problems: [{ pointer: '/headers/idempotency-key', message: 'Give 1 to 255 visible ASCII characters.' }],
    });
  }
  const input = request.input as { readonly body: unknown }; // the contract parsed it before
  const requestHash = hashOf(hashKey, [request.method, request.originalUrl, bodyText(input.body)]);
  const owner = ownerOf(request) ?? ['anonymous', requestHash];
  return { keyHash: hashOf(hashKey, [...owner, key.data.replace(/^"(.+)"$/, '$1')]), requestHash };
}

function ownerOf({ caller }: ManagedRequest): string[] | undefined {
  if (caller === undefined) return undefined;
  const actor = actorOf(caller);
  return [actor.kind, 'id' in actor ? actor.id : '', caller.kind === 'tenant' ? caller.tenantId : ''];
}

function hashOf(hashKey: Uint8Array, parts: readonly string[]): string {
  const hmac = createHmac('sha256', hashKey);
  for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part);
  return hmac.digest('hex');
}

function bodyText(body: unknown): string {
  if (typeof body === 'object' && body !== null && 'content' in body && Buffer.isBuffer(body.content)) {
    const digest = createHash('sha256').update(body.content).digest('hex');
    return canonicalJson({ ...body, content: digest });
  }
  return canonicalJson(body ?? null);
}
