/** Thrown when a backup cannot be made, read or restored; its sentence says what to do, and nothing was changed. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}
