import type { AppError } from '#libs/errors';
import type { FrameFailure, OutcomeClass } from '#libs/protocol';
import type { Logger } from '#libs/telemetry';

/** An error as its caller is told, and how the exchange counts; what nobody may see goes to the log. */
export function failureOf(error: AppError, logger: Logger): { failure: FrameFailure; outcome: OutcomeClass } {
  const { code, message, problems, retryAfterSeconds, detail, cause } = error;
  if (code === 'internal' || code === 'forbidden')
    logger.error({ code, detail, cause: cause instanceof Error ? cause.stack : cause }, 'call refused');
  const retryAfter = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return {
    failure: { code, message, problems, ...retryAfter },
    outcome: code === 'deadline_exceeded' ? 'deadline' : 'refused',
  };
}
