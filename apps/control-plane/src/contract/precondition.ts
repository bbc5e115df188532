import { createHash } from 'node:crypto';
import { AppError } from '#libs/errors';
import { canonicalJson } from '#libs/protocol';
import type { ManagedRequest } from '../edge/managed-request.js';
import type { ContractShape } from './contract-shape.js';

/** Fields that change by use and by nobody's hand; they are no reason to refuse a change. */
const BY_USE = new Set(['last_used_at', 'failing_since', 'last_failure', 'due_at', 'next_leaf', 'live_now']);
const TAGS = /^\s*(?:W\/)?"[\x21\x23-\x7e]*"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]*")*\s*$/;

/** The strong entity tag of what the API shows of one thing (RFC 9110, section 8.8.3). */
export function etagOf(shown: unknown): string {
  const counted: unknown = JSON.parse(JSON.stringify(shown, (key, value) => (BY_USE.has(key) ? undefined : value)));
  return `"${createHash('sha256').update(canonicalJson(counted)).digest('base64url').slice(0, 27)}"`;
}

/** What of an answer its tag is of: what can be changed, without what only tells about it. */
export function taggedOf(answer: unknown, tagged: ContractShape['tagged'] = []): unknown {
  return tagged.reduce<unknown>(
    (value, member) => (value as Readonly<Record<string, unknown>>)[member], // the contract's own members
    answer,
  );
}

/** What a request's `If-Match` says must still be so (RFC 9110, section 13.1.1). */
export class Precondition {
  constructor(private readonly tags: readonly string[] | undefined) {}

  /**
   * Call it with what the API shows now, while that is locked; undefined where there is nothing.
   * @throws AppError `precondition_failed` where the caller knows something else
   */
  require(shown: unknown): void {
    if (this.tags === undefined) return;
    if (shown !== undefined && (this.tags.includes('*') || this.tags.includes(etagOf(shown)))) return;
    throw new AppError('precondition_failed');
  }
}

/**
 * The precondition of a request to a route with this contract.
 * @throws AppError `precondition_required`, or `invalid_request` for a header that is malformed or compares nothing here
 */
export function preconditionOf(request: ManagedRequest, { etag }: ContractShape): Precondition {
  const header = request.headers['if-match'];
  if (header === undefined) {
    if (etag === 'required') throw new AppError('precondition_required');
    return new Precondition(undefined);
  }
  if (etag !== 'compared' && etag !== 'required' && request.method !== 'GET') {
    throw refused('This route compares nothing with If-Match. Remove the header.');
  }
  if (header.trim() === '*') return new Precondition(['*']);
  if (!TAGS.test(header)) throw refused('If-Match must be `*` or quoted entity tags, as an ETag header gave them.');
  return new Precondition(header.split(',').map((tag) => tag.trim()));
}

function refused(message: string): AppError {
  return new AppError('invalid_request', {
    message,
    problems: [{ pointer: '/headers/if-match', message }],
  });
}
