import { AppError, type AppErrorOptions } from '#libs/errors';

/** The refusal of a call for which a rate has no room (429). */
export class RateReached extends AppError {
  constructor(
    options: AppErrorOptions,
    /** Until then this gateway gives the same answer whoever asks, from `performance.now()`. */
    readonly sureUntilMs: number,
  ) {
    super('rate_limited', options);
  }
}
