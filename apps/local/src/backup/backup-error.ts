/** Thrown when a backup cannot be made, read or restored; its sentence says what to do, and nothing was changed. */
export class BackupError extends Error {
  override readonly name: string = 'BackupError';
}

/** Thrown where a restore has left something behind; its sentence says what, and what to do with it. */
export class HalfRestoredError extends BackupError {
  override readonly name = 'HalfRestoredError';
}
