/** Thrown when an image cannot be named, resolved or written down; its sentence says what to do, and no file was changed. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}
