/** Thrown when an upstream server could not answer; the message is for the caller. */
export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure';

  constructor(
    message: string,
    /** The same for a list of what is missing. */
    readonly reason: string,
  ) {
    super(message);
  }
}
