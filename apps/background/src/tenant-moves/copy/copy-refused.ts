/** Thrown where a copy cannot be what it is a copy of; the message is for operators. */
export class CopyRefused extends Error {
  override readonly name = 'CopyRefused';
}
