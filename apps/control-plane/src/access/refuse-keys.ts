import { AppError } from '#libs/errors';
import type { OperatorCaller } from './caller.js';

/**
 * Who is let in is decided by people: a key that leaks must not make others, and whoever is invited makes some.
 * @throws AppError `conflict` for a key of an account
 */
export function refuseKeys({ credential }: OperatorCaller): void {
  if (credential.kind !== 'key') return;
  throw new AppError('conflict', {
    message: 'Only who has signed in decides which operators and keys are let in. Use POST /admin/v1/sign-in first.',
  });
}
