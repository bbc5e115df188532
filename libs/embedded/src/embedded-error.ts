/** Thrown when an embedded server cannot run here; the message is one sentence that says what to do. */
export class EmbeddedError extends Error {
  override readonly name = 'EmbeddedError';
}
