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

/** Whether a `GET` asks for what it has already: `If-None-Match` compares weakly (RFC 9110, sections 8.8.3.2 and 13.1.2). */
export function isKnown({ method, headers }: Pick<ManagedRequest, 'method' | 'headers'>, etag: string): boolean {
  const header = headers['if-none-match'];
  if (header === undefined || (method !== 'GET' && method !== 'HEAD')) return false;
  return tagsOf(header).some((tag) => tag === '*' || tag.replace(/^W\//, '') === etag);
}

/** The entity tags that a header names; undefined where it is not there. */
interface Tags {
  readonly match?: readonly string[] | undefined;
  readonly noneMatch?: readonly string[] | undefined;
}

/** What a request's `If-Match` and `If-None-Match` say of the thing that it changes (RFC 9110, sections 13.1.1 and 13.1.2). */
export class Precondition {
  constructor(private readonly tags: Tags) {}

  /**
   * Call it with what the API shows now, while that is locked; undefined where there is nothing.
   * @throws AppError `precondition_failed` where the caller knows something else, or that there is nothing
   */
  require(shown: unknown): void {
    const { match, noneMatch } = this.tags;
    if (match === undefined && noneMatch === undefined) return;
    const has = (tags: readonly string[]): boolean =>
      shown !== undefined && (tags.includes('*') || tags.includes(etagOf(shown)));
    if (match !== undefined && !has(match)) throw new AppError('precondition_failed');
    if (noneMatch === undefined || !has(noneMatch)) return;
    throw new AppError('precondition_failed', {
      message:
        'This is there already, and If-None-Match says that it must not be. Read it, and send its ETag as If-Match.',
    });
  }
}

/**
 * The precondition of a request to a route with this contract.
 * @throws AppError `precondition_required`, or `invalid_request` for a header that is malformed or compares nothing here
 */
export function preconditionOf({ method, headers }: ManagedRequest, { etag }: ContractShape): Precondition {
  // What is only read is compared once it is known.
  if (method === 'GET' || method === 'HEAD') return new Precondition({});
  if (etag === 'required' && headers['if-match'] === undefined) throw new AppError('precondition_required');
  const compares = etag === 'compared' || etag === 'required';
  const tags = (name: 'If-Match' | 'If-None-Match'): readonly string[] | undefined => {
    const header = headers[name === 'If-Match' ? 'if-match' : 'if-none-match'];
    if (header === undefined) return undefined;
    if (!compares) throw refused(name, `This route compares nothing with ${name}. Remove the header.`);
    if (header.trim() === '*' || TAGS.test(header)) return tagsOf(header);
    throw refused(name, `${name} must be \`*\` or quoted entity tags, as an ETag header gave them.`);
  };
  return new Precondition({ match: tags('If-Match'), noneMatch: tags('If-None-Match') });
}

function tagsOf(header: string): string[] {
  return header.split(',').map((tag) => tag.trim());
}

function refused(name: string, message: string): AppError {
  return new AppError('invalid_request', {
    message,
    problems: [{ pointer: `/headers/${name.toLowerCase()}`, message }],
  });
}
