import { z } from 'zod';
import { findBlob } from '#libs/blobs';
import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { judgeStep, type ReleaseStep, type VersionedRelease } from '#libs/release-diff';
import { findHold } from '#libs/rollouts';
import { toolsOf } from '../release-view.js';
import type { ReleaseRow } from '../releases.repository.js';
import type { PublishOptions } from '../releases.schema.js';

/** A release that is to follow the live one, and what somebody said about it. */
interface WantedStep {
  readonly live: ReleaseRow;
  readonly next: ReleaseRow;
  readonly options: Pick<PublishOptions, 'acknowledge_breaking'>;
}

/** What going from the live release to the next means. @throws AppError `conflict` where it breaks agents and nobody acknowledged that */
export async function requireAcknowledged(
  tx: Transaction,
  tenantId: string,
  { live, next, options }: WantedStep,
): Promise<ReleaseStep> {
  const versioned = async ({ version, digest }: ReleaseRow): Promise<VersionedRelease> => {
    const manifest = await findBlob(tx, tenantId, digest);
    return { version, tools: manifest === undefined ? [] : toolsOf(manifest) };
  };
  const step = judgeStep(await versioned(live), await versioned(next));
  if (step.refusal === undefined || options.acknowledge_breaking) return step;
  throw new AppError('conflict', { message: step.refusal });
}

/** Refuses what would go out at a time that the server's schedule does not allow. @throws AppError `conflict` saying why */
export async function requireOpen(
  tx: Transaction,
  tenantId: string,
  serverId: string,
  options?: Pick<PublishOptions, 'override_schedule'>,
): Promise<void> {
  const hold = options?.override_schedule === true ? undefined : await findHold(tx, tenantId, serverId);
  if (hold === undefined) return;
  const way = options === undefined ? 'Wait, or change the schedule.' : 'Wait, or say "override_schedule": true.';
  throw new AppError('conflict', { message: `${hold} ${way}` });
}

/**
 * Refuses a release that a rollout took back, for its checks would let it out once more: it did badly with real calls.
 * @throws AppError `conflict` unless somebody acknowledged that
 */
export function requireUnrejected(
  { state, number, rejection }: ReleaseRow,
  { acknowledge_rejected: acknowledged }: Pick<PublishOptions, 'acknowledge_rejected'>,
): void {
  const parsed = takenBackSchema.safeParse(rejection);
  if (state !== 'rejected' || acknowledged || !parsed.success) return;
  const { rollout, reason } = parsed.data;
  throw new AppError('conflict', {
    message:
      `Release ${number} was rejected by rollout ${rollout}: ${reason} ` +
      'Build a mended one, or say "acknowledge_rejected": true if it is meant to go out again.',
  });
}

/** Why a release was rejected, where that was a rollout’s doing. */
const takenBackSchema = z.object({ rollout: z.string(), reason: z.string() });
