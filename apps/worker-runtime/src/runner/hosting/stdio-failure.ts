import type { Bundle } from '#libs/protocol';

/** Thrown when a third-party server could not answer; the message is for the caller. */
export class StdioFailure extends Error {
  override readonly name = 'StdioFailure';

  constructor(
    message: string,
    readonly why: 'ended' | 'other' = 'other',
  ) {
    super(message);
  }

  /** As many processes as may be are at work. */
  static busy(max: number): StdioFailure {
    return new StdioFailure(`All ${max} processes of the third-party servers are busy. Try again shortly.`);
  }

  /** It keeps ending and is left alone for a while. */
  static stoppedAgain({ name }: Bundle, waitMs: number): StdioFailure {
    return new StdioFailure(
      `${JSON.stringify(name)}, the bundled server behind this tool, has stopped several times in a row and is started again shortly. Try again in ${Math.ceil(waitMs / 1_000)} s.`,
      'ended',
    );
  }
}
