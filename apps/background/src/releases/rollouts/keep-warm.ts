import type { Database } from '#libs/database';
import type { RuntimeClient } from '#libs/protocol';
import type { Rollout } from '#libs/rollouts';
import type { Logger } from '#libs/telemetry';
import { askRelease } from '../../release-worker/ask-release.js';
import { findSubjectOf } from './candidate.repository.js';

/** A worker that is asked this often does not end. */
const EVERY_SECONDS = 20;
/** Rollouts whose last question is remembered; one that is forgotten is only asked sooner. */
const REMEMBERED_MAX = 1_000;
const QUESTION = { method: 'server/discover', principal: 'system|keep-warm', timeoutMs: 10_000 } as const;

/** Keeps the old release's worker running while a rollout drains, so that a rollback meets one that is there. */
export class KeepWarm {
  /** When each rollout's old release was asked last, in seconds since its drain began. */
  readonly #askedAt = new Map<string, number>();

  constructor(
    private readonly database: Database,
    private readonly runtime: RuntimeClient,
    private readonly logger: Logger,
  ) {}

  /** Asks the stable release's worker what it is where it was last asked twenty seconds ago, or never. Never throws. */
  async keep(rollout: Rollout, signal: AbortSignal): Promise<void> {
    const askedAt = this.#askedAt.get(rollout.id);
    if (askedAt !== undefined && rollout.stepSeconds - askedAt < EVERY_SECONDS) return;
    this.#remember(rollout);
    try {
      const subject = await this.database.asTenant(rollout.tenantId, (tx) => findSubjectOf(tx, rollout, 'stable'));
      if (subject !== undefined) await askRelease(this.runtime, subject, QUESTION, signal);
    } catch (error) {
      this.logger.warn({ err: error, tenant_id: rollout.tenantId }, 'an old release could not be kept warm');
    }
  }

  #remember({ id, stepSeconds }: Rollout): void {
    this.#askedAt.delete(id);
    this.#askedAt.set(id, stepSeconds);
    const [oldest] = this.#askedAt.keys();
    if (this.#askedAt.size > REMEMBERED_MAX && oldest !== undefined) this.#askedAt.delete(oldest);
  }
}
