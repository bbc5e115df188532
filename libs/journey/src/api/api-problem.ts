import type { ProblemDocument } from '#libs/errors';

/** Thrown when the management API refuses a request; carries the problem document it answered (RFC 9457). */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';

  constructor(
    readonly status: number,
    readonly problem: Partial<ProblemDocument>,
    /** Its method and path. */
    readonly request: string,
  ) {
    const errors = (problem.errors ?? []).map((error) => `${error.pointer}: ${error.message}`);
    super(
      [`${request} was answered ${status}: ${problem.detail || problem.title || 'it gave no reason'}`, ...errors].join(
        '\n  ',
      ),
    );
  }
}
