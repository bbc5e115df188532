import type { Transaction } from '#libs/database';
import type { RolloutState, Step, Strategy } from './states.js';
import type { Thresholds } from './thresholds.js';

/** A rollout as it is stored. */
export interface Rollout {
  readonly tenantId: string;
  readonly id: string;
  readonly serverId: string;
  readonly stableReleaseId: string;
  readonly candidateReleaseId: string;
  readonly strategy: Strategy;
  readonly steps: readonly Step[];
  readonly drainSeconds: number;
  /** How long the stable release stays reachable where the candidate has a higher major version; null: the usual time. */
  readonly previousMajorUntil: Date | null;
  /** Whether it goes on outside of the server's release windows and while it is frozen. */
  readonly overrideSchedule: boolean;
  /** What it was told of when its candidate is bad; see `thresholdsOf`. */
  readonly thresholds: Partial<Thresholds>;
  /** Ids of probes whose other answers somebody has accepted. */
  readonly acceptedProbes: readonly string[];
  readonly state: RolloutState;
  readonly step: number;
  readonly percent: number;
  readonly stepStartedAt: Date;
  /** Since the step began, by the database's clock. */
  readonly stepSeconds: number;
  /** The latest judgement, and one for each step that is over. */
  readonly verdict: unknown;
  readonly verdicts: readonly unknown[];
  readonly reason: string | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
}

const COLUMNS = `tenant_id as "tenantId", id, server_id as "serverId", stable_release_id as "stableReleaseId",
  candidate_release_id as "candidateReleaseId", strategy, steps, drain_seconds as "drainSeconds",
  previous_major_until as "previousMajorUntil", override_schedule as "overrideSchedule", thresholds,
  accepted_probes as "acceptedProbes", state, step, percent,
  step_started_at as "stepStartedAt", extract(epoch from now() - step_started_at)::float8 as "stepSeconds",
  verdict, verdicts, reason, created_at as "createdAt", ended_at as "endedAt"`;

/** Where to look for rollouts: all of a server, or the one with an id. */
export interface RolloutPage {
  readonly serverId: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** A server's rollouts, newest first. */
export async function listRollouts(tx: Transaction, tenantId: string, page: RolloutPage): Promise<Rollout[]> {
  return tx.query(
    `select ${COLUMNS} from rollouts
     where tenant_id = $1 and server_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4`,
    [tenantId, page.serverId, page.cursor ?? null, page.limit],
  );
}

/** A rollout, undefined where there is none. */
export async function findRollout(tx: Transaction, tenantId: string, id: string): Promise<Rollout | undefined> {
  const rows: Rollout[] = await tx.query(`select ${COLUMNS} from rollouts where tenant_id = $1 and id = $2`, [
    tenantId,
    id,
  ]);
  return rows[0];
}

/** A rollout with its server locked until the transaction ends, so that one transition happens at a time. */
export async function lockRollout(tx: Transaction, tenantId: string, id: string): Promise<Rollout | undefined> {
  await tx.query(
    `select from servers where tenant_id = $1 and id =
       (select server_id from rollouts where tenant_id = $1 and id = $2) for update`,
    [tenantId, id],
  );
  return findRollout(tx, tenantId, id);
}

/** The server's rollout that is not over; the caller holds the server's lock. */
export async function findOpenRollout(
  tx: Transaction,
  tenantId: string,
  serverId: string,
): Promise<Rollout | undefined> {
  const rows: Rollout[] = await tx.query(
    `select ${COLUMNS} from rollouts where tenant_id = $1 and server_id = $2
       and state in ('checking', 'running', 'paused', 'draining')`,
    [tenantId, serverId],
  );
  return rows[0];
}
