import { AppError } from '#libs/errors';

/** Refuses whoever acts for a suspended tenant; those who manage it are told why, as its own log tells them afterwards. */
export function suspended(reason: string | null, whoAsks: 'manages it' | 'does not'): AppError {
  if (reason === null || whoAsks === 'does not') return new AppError('tenant_suspended');
  return new AppError('tenant_suspended', {
    message: `An operator of this platform has suspended this tenant, and gave as the reason: “${reason}”. What it has is kept. Contact the operator.`,
  });
}
