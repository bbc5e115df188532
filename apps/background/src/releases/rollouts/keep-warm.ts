import type { Database } from '#libs/database';
import type { RuntimeClient } from '#libs/protocol';
import type { Rollout } from '#libs/rollouts';
import type { Logger } from '#libs/telemetry';
import { askRelease } from '../../release-worker/ask-release.js';
import { findSubjectOf } from './candidate.repository.js';

/** A worker that is asked this often does not end. */
const EVERY_SECONDS = 20;
const QUESTION = { method: 'server/discover', principal: 'system|keep-warm', timeoutMs: 10_000 } as const;

/** Keeps the old release's worker running while a rollout drains, so that a rollback meets one that is there. */
export class KeepWarm {
  constructor(
    private readonly database: Database,
    private readonly runtime: RuntimeClient,
    private readonly logger: Logger,
  ) {}

  /** Asks the stable release's worker what it is, once in twenty seconds of the drain. Never throws. */
  async keep(rollout: Rollout, signal: AbortSignal): Promise<void> {
    if (Math.floor(rollout.stepSeconds) % EVERY_SECONDS !== 0) return;
    try {
      const subject = await this.database.asTenant(rollout.tenantId, (tx) => findSubjectOf(tx, rollout, 'stable'));
      if (subject !== undefined) await askRelease(this.runtime, subject, QUESTION, signal);
    } catch (error) {
      this.logger.warn({ err: error, tenant_id: rollout.tenantId }, 'an old release could not be kept warm');
    }
  }
}
