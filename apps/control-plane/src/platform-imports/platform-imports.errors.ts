import { AppError } from '#libs/errors';
import { PART_BYTES } from './platform-imports.schema.js';

/** For a line that is no verifier key. */
export function noVerifierKey(at: number): AppError {
  const message = 'no verifier key, as GET /v1/audit/keys gives them where the archive was made';
  return new AppError('invalid_params', {
    message: `\`signed_by\` holds a line that is ${message}.`,
    problems: [{ pointer: `/signed_by/${at}`, message }],
  });
}

/** For a plan that there is not. */
export function noPlan(plan: string): AppError {
  return new AppError('invalid_params', {
    message: `There is no plan ${plan}. GET /admin/v1/plans lists them.`,
    problems: [{ pointer: '/plan', message: 'no plan' }],
  });
}

/** For one upload too many. */
export function tooManyOpen(max: number): AppError {
  return new AppError('conflict', {
    message: `${max} uploads are kept already. Begin, retry or cancel one of them, or wait until its time is over.`,
  });
}

/** For a part that is not as long as its number says. */
export function wrongLength(number: number, bytes: number, expected: number): AppError {
  return new AppError('invalid_request', {
    message: `Part ${number} is of ${expected} bytes, and ${bytes} came. Every part but the last is of ${PART_BYTES} bytes.`,
  });
}

/** For a part that is there with other bytes. */
export function otherPart(number: number): AppError {
  return new AppError('conflict', {
    message: `Part ${number} is here with other bytes. Cancel this import and upload the archive as it is now.`,
  });
}

/** For an import whose parts are not all there. */
export function incomplete(next: number): AppError {
  return new AppError('conflict', { message: `Part ${next} is missing. Upload it, then begin.` });
}

/** For whoever comes while another import is in hand. */
export function anotherInHand(): AppError {
  return new AppError('conflict', {
    message: 'Another archive is being imported. Begin this one when that has ended.',
  });
}

/** For what cannot be tried again. */
export function notToBeRetried({
  state,
  failure,
}: {
  readonly state: string;
  readonly failure: string | null;
}): AppError {
  const why =
    state === 'failed'
      ? `What was uploaded is not kept: ${failure ?? 'its time is over.'} Make a new import.`
      : `This import is ${state}. Only one that failed is tried again.`;
  return new AppError('conflict', { message: why });
}

/** For what only goes before an import has begun. */
export function hasBegun(state: string): AppError {
  return new AppError('conflict', {
    message: `This import is ${state}${state === 'uploading' ? ' no longer: its day is over' : ''}. Look at it, or make a new one.`,
  });
}
