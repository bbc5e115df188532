import { ERROR_CATALOGUE } from './catalogue.js';
import type { AppError, Problem } from './app-error.js';

/** A problem document of RFC 9457, as the management API answers it (`application/problem+json`). */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors?: readonly Problem[];
  /** The request's id, by which its lines and records are found. */
  readonly request_id?: string;
  /** Where this kind of error is explained. */
  readonly docs?: string;
}

/** The public form of an error: never its cause, its stack or its log detail. */
export function toProblemDocument(
  error: AppError,
  about: Pick<ProblemDocument, 'request_id' | 'docs'> = {},
): ProblemDocument {
  return {
    type: `urn:wharf:error:${error.code}`,
    title: ERROR_CATALOGUE[error.code].title,
    status: error.status,
    detail: error.message,
    code: error.code,
    ...(error.problems.length > 0 ? { errors: error.problems } : {}),
    ...about,
  };
}
