/** Thrown when no tool can be made of an operation; the message says why, for the report. */
export class OperationSkipped extends Error {
  override readonly name = 'OperationSkipped';

  constructor(
    /** What stands in the way, in the document. */
    readonly pointer: string,
    message: string,
  ) {
    super(message);
  }
}
