import { AppError } from '#libs/errors';
import type { WorkerDriver } from './worker-driver.js';

/** What an operator has decided about code that neither we nor the operator wrote. */
export interface ThirdPartyPolicy {
  /** `WHARF_ALLOW_UNSANDBOXED`. */
  readonly allowUnsandboxed: boolean;
}

/** Whether bundles and packages may run: always in sandboxes and pods, in plain processes when an operator says so. */
export function mayRunThirdPartyCode({ name }: WorkerDriver, policy: ThirdPartyPolicy): boolean {
  return name !== 'process' || policy.allowUnsandboxed;
}

/** Stands before everything that starts such code. @throws AppError unavailable where it may not run */
export function assertThirdPartyCode(driver: WorkerDriver, policy: ThirdPartyPolicy): void {
  if (mayRunThirdPartyCode(driver, policy)) return;
  throw new AppError('unavailable', {
    message: 'This platform runs no code of others: its workers are not sandboxed.',
    detail: { reason: 'make the sandbox driver work, or set WHARF_ALLOW_UNSANDBOXED=true' },
  });
}
