/** What a command could not do, in one sentence, and what to do about it. */
export class CliProblem extends Error {
  override readonly name = 'CliProblem';

  constructor(
    message: string,
    /** What the person can do now. */
    readonly advice?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
