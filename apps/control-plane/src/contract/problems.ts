import type { z } from 'zod';
import { AppError, type Problem } from '#libs/errors';

const PROBLEMS_MAX = 100;

/** An RFC 6901 pointer from the parts of a path. */
export function jsonPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function problemsOf(issue: z.core.$ZodIssue, prefix: readonly PropertyKey[]): Problem[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: jsonPointer([...path, key]),
      message: 'This is not known here. Remove it.',
    }));
  }
  // zod keeps the input to itself; what is absent is told by the end of its sentence.
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) {
    return [{ pointer: jsonPointer(path), message: `This is missing. Give a value of type ${issue.expected}.` }];
  }
  return [{ pointer: jsonPointer(path), message: issue.message }];
}

/** The error for input that does not fit its schema, with a pointer to each place to correct. */
export function refusedInput(error: z.ZodError, prefix: readonly PropertyKey[] = []): AppError {
  return new AppError('invalid_request', {
    message: 'The request does not have the expected shape. Correct the places listed in `errors`.',
    problems: error.issues.flatMap((issue) => problemsOf(issue, prefix)).slice(0, PROBLEMS_MAX),
  });
}
