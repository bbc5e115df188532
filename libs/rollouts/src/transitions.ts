import { appendAudit, type AuditActor, type AuditEvent } from '#libs/audit';
import type { Transaction } from '#libs/database';
import { keepOldMajor } from './keep-old-major.js';
import type { Rollout } from './rollout.js';
import type { RolloutState } from './states.js';

/** Who or what made a rollout move, and why. */
export interface Cause {
  readonly actor: AuditActor;
  readonly reason: string;
  /** The judgement it rests on. */
  readonly verdict?: unknown;
}

/** The controller as the actor of what it decides by itself. */
export const CONTROLLER: AuditActor = { kind: 'system', id: 'release-controller' };

/** What the audit log can be told of a rollout that moved. */
type MoveEvent = Exclude<Extract<AuditEvent, `rollout.${string}`>, 'rollout.created'>;

interface Move {
  readonly state: RolloutState;
  readonly step?: number;
  readonly percent?: number;
  readonly event: MoveEvent;
}

/** Begins a step: the gateways give the candidate its part. The caller holds the lock, here and below. */
export async function beginStep(tx: Transaction, rollout: Rollout, step: number, cause: Cause): Promise<void> {
  const percent = rollout.strategy === 'shadow' ? 0 : (rollout.steps[step]?.percent ?? 0);
  const event = step === 0 ? 'rollout.started' : 'rollout.advanced';
  await move(tx, rollout, { state: 'running', step, percent, event }, cause);
}

/** Stops judging and advancing; the calls stay divided as they are. */
export async function pauseRollout(tx: Transaction, rollout: Rollout, cause: Cause): Promise<void> {
  await move(tx, rollout, { state: 'paused', event: 'rollout.paused' }, cause);
}

/** Goes on with the step, whose time begins anew. */
export async function resumeRollout(tx: Transaction, rollout: Rollout, cause: Cause): Promise<void> {
  await move(tx, rollout, { state: 'running', event: 'rollout.resumed' }, cause);
}

/** Tells that a drain ends only where somebody decides, or where what keeps it has passed; everything stays where it is. */
export async function holdRollout(tx: Transaction, rollout: Rollout, { actor, reason, verdict }: Cause): Promise<void> {
  const judged = JSON.stringify(verdict ?? null);
  await tx.query(
    `update rollouts set reason = $3, verdict = $4::jsonb, verdicts = verdicts || jsonb_build_array($4::jsonb)
     where tenant_id = $1 and id = $2`,
    [rollout.tenantId, rollout.id, reason, judged],
  );
  await tell(tx, rollout, rollout, 'rollout.held', { actor, reason, verdict });
}

/**
 * Keeps that somebody has seen which probes are answered differently, by the judgement that it waits for and by the latest,
 * and wants the rollout to go on all the same.
 */
export async function acceptChanges(tx: Transaction, { tenantId, id }: Rollout): Promise<void> {
  await tx.query(
    `update rollouts set accepted_probes = array(
       select unnest(accepted_probes) union select changed::uuid
       from unnest(array[verdict, verdicts -> -1]) as judged(of_them),
         jsonb_array_elements_text(coalesce(of_them #> '{probes,changed}', '[]')) as changed)
     where tenant_id = $1 and id = $2`,
    [tenantId, id],
  );
}

/** Makes the candidate live for every new call; sessions of the stable release may go on for a while. */
export async function switchRollout(tx: Transaction, rollout: Rollout, cause: Cause): Promise<void> {
  const { tenantId, serverId, stableReleaseId, candidateReleaseId, previousMajorUntil } = rollout;
  await keepOldMajor(tx, { tenantId, serverId, releaseId: candidateReleaseId }, previousMajorUntil);
  await tx.query(`update servers set live_release_id = $3, previous_release_id = $4 where tenant_id = $1 and id = $2`, [
    tenantId,
    serverId,
    candidateReleaseId,
    stableReleaseId,
  ]);
  await tx.query(`update releases set state = 'superseded' where tenant_id = $1 and id = $2`, [
    tenantId,
    stableReleaseId,
  ]);
  await tx.query(
    `update releases set state = 'live', published_at = now(), rejection = null, withdrawn_at = null
     where tenant_id = $1 and id = $2`,
    [tenantId, candidateReleaseId],
  );
  const step = rollout.steps.length;
  await move(tx, rollout, { state: 'draining', step, percent: 100, event: 'rollout.switched' }, cause);
}

/** Ends the drain: sessions that are left on the old release begin anew on the new one. */
export async function endDrain(tx: Transaction, rollout: Rollout, cause: Cause): Promise<void> {
  await withdraw(tx, rollout.tenantId, rollout.stableReleaseId);
  await move(tx, rollout, { state: 'promoted', event: 'rollout.promoted' }, cause);
}

/** Takes the candidate away from every caller for what it did; it becomes `rejected`. */
export async function rollBackRollout(tx: Transaction, rollout: Rollout, cause: Cause): Promise<void> {
  await restoreStable(tx, rollout);
  await tx.query(`update releases set state = 'rejected', rejection = $3::jsonb where tenant_id = $1 and id = $2`, [
    rollout.tenantId,
    rollout.candidateReleaseId,
    JSON.stringify({ reason: cause.reason, rollout: rollout.id }),
  ]);
  const state = rollout.state === 'checking' ? 'rejected' : 'rolled_back';
  await move(tx, rollout, { state, percent: 0, event: `rollout.${state}` }, cause);
}

/** Takes the candidate away because somebody wants so; it can be tried again. */
export async function abortRollout(tx: Transaction, rollout: Rollout, cause: Cause): Promise<void> {
  await restoreStable(tx, rollout);
  await tx.query(
    `update releases set state = case when published_at is null then 'ready' else 'superseded' end
     where tenant_id = $1 and id = $2`,
    [rollout.tenantId, rollout.candidateReleaseId],
  );
  await move(tx, rollout, { state: 'aborted', percent: 0, event: 'rollout.aborted' }, cause);
}

/** Ends the sessions of a release: at their next call they are told to begin anew. */
export async function withdraw(tx: Transaction, tenantId: string, releaseId: string): Promise<void> {
  await tx.query(`update releases set withdrawn_at = now() where tenant_id = $1 and id = $2`, [tenantId, releaseId]);
}

async function restoreStable(tx: Transaction, rollout: Rollout): Promise<void> {
  const { tenantId, serverId, stableReleaseId, candidateReleaseId, state } = rollout;
  await withdraw(tx, tenantId, candidateReleaseId);
  if (state !== 'draining') return;
  await tx.query(
    `update servers set live_release_id = $3, previous_release_id = null
     where tenant_id = $1 and id = $2 and live_release_id = $4`,
    [tenantId, serverId, stableReleaseId, candidateReleaseId],
  );
  await tx.query(`update releases set state = 'live', withdrawn_at = null where tenant_id = $1 and id = $2`, [
    tenantId,
    stableReleaseId,
  ]);
}

async function move(tx: Transaction, rollout: Rollout, to: Move, { actor, reason, verdict }: Cause): Promise<void> {
  const ended = ['promoted', 'rolled_back', 'aborted', 'rejected'].includes(to.state);
  const step = to.step ?? rollout.step;
  const percent = to.percent ?? rollout.percent;
  await tx.query(
    `update rollouts set state = $3, step = $4, percent = $5, reason = $6, step_started_at = now(),
       verdict = coalesce($7::jsonb, verdict),
       verdicts = case when $7::jsonb is null then verdicts else verdicts || jsonb_build_array($7::jsonb) end,
       ended_at = case when $8 then now() end
     where tenant_id = $1 and id = $2`,
    [
      rollout.tenantId,
      rollout.id,
      to.state,
      step,
      percent,
      reason,
      verdict === undefined ? null : JSON.stringify(verdict),
      ended,
    ],
  );
  await tell(tx, rollout, { state: to.state, step, percent }, to.event, { actor, reason, verdict });
}

async function tell(
  tx: Transaction,
  rollout: Rollout,
  { state, step, percent }: Pick<Rollout, 'state' | 'step' | 'percent'>,
  event: MoveEvent,
  { actor, reason, verdict }: Cause,
): Promise<void> {
  const details = {
    server: rollout.serverId,
    release: rollout.candidateReleaseId,
    strategy: rollout.strategy,
    step,
    percent,
    reason,
    ...(verdict === undefined ? {} : { verdict }),
  };
  await appendAudit(tx, rollout.tenantId, [{ event, actor, target: `rollout:${rollout.id}`, outcome: state, details }]);
}
