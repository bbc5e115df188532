import type { z } from 'zod';

const NAMED_MAX = 3;

/** Thrown when a request was taken, and its answer is of another shape than this program knows. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';

  constructor(
    request: string,
    /** As `X-Request-Id` has it; null where whatever answered sends none. */
    readonly requestId: string | null,
    issues: readonly z.core.$ZodIssue[],
  ) {
    const named = issues.slice(0, NAMED_MAX).map(({ path }) => path.join('.') || 'the whole of it');
    const many = issues.length > NAMED_MAX ? ', and more' : '';
    super(
      `${request} succeeded, but its answer is not what this program knows (${named.join(', ')}${many}): ` +
        'the installation may be of another version than this program, or something else answers at its URL. ' +
        `${requestId === null ? 'The answer has no request id' : `The request's id is ${requestId}`}.`,
    );
  }
}
