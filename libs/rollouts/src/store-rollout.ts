import type { AuditActor } from '#libs/audit';
import type { Transaction } from '#libs/database';
import type { Step, Strategy } from './states.js';
import type { Thresholds } from './thresholds.js';

/** A rollout to store. */
export interface NewRollout {
  readonly id: string;
  readonly serverId: string;
  readonly stableReleaseId: string;
  readonly candidateReleaseId: string;
  readonly strategy: Strategy;
  readonly steps: readonly Step[];
  readonly drainSeconds: number;
  readonly previousMajorUntil: string | undefined;
  readonly overrideSchedule: boolean;
  readonly thresholds: Thresholds;
  /** Names of tools that calls are counted under, and of those that both releases only read with. */
  readonly tools: readonly string[];
  readonly readOnlyTools: readonly string[];
  /** Whether neither release remembers anything of a session, so that one of its calls can be asked in another. */
  readonly shadowsSessions: boolean;
  readonly createdBy: AuditActor;
}

/** Stores a rollout and makes its release a candidate; the caller holds the server's lock. */
export async function storeRollout(tx: Transaction, tenantId: string, rollout: NewRollout): Promise<void> {
  await tx.query(
    `insert into rollouts (tenant_id, id, server_id, stable_release_id, candidate_release_id, strategy, steps,
       drain_seconds, previous_major_until, override_schedule, tools, read_only_tools, state, created_by, thresholds, shadows_sessions)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'checking', $13, $14, $15)`,
    [
      tenantId,
      rollout.id,
      rollout.serverId,
      rollout.stableReleaseId,
      rollout.candidateReleaseId,
      rollout.strategy,
      JSON.stringify(rollout.steps),
      rollout.drainSeconds,
      rollout.previousMajorUntil ?? null,
      rollout.overrideSchedule,
      rollout.tools,
      rollout.readOnlyTools,
      JSON.stringify(rollout.createdBy),
      JSON.stringify(rollout.thresholds),
      rollout.shadowsSessions,
    ],
  );
  await tx.query(
    `update releases set state = 'candidate', rejection = null, withdrawn_at = null where tenant_id = $1 and id = $2`,
    [tenantId, rollout.candidateReleaseId],
  );
}

/** Whether a release of the server waits to be published. */
export async function isPublishing(tx: Transaction, tenantId: string, serverId: string): Promise<boolean> {
  const rows: unknown[] = await tx.query(
    `select from releases where tenant_id = $1 and server_id = $2 and state = 'publishing' limit 1`,
    [tenantId, serverId],
  );
  return rows.length > 0;
}

/** A tool as a rollout needs to know it. */
export interface RolledTool {
  readonly name: string;
  readonly annotations?: { readonly readOnlyHint?: boolean | undefined } | undefined;
}

/** The tools of two releases. */
export interface ToolsOfBoth {
  /** Of either. */
  readonly all: readonly string[];
  /** Those that both have and both say only read. */
  readonly readOnly: readonly string[];
}

/** What calls of a rollout are counted under, and what may be asked of both releases. */
export function toolsOfBoth(stable: readonly RolledTool[], candidate: readonly RolledTool[]): ToolsOfBoth {
  const reading = new Set(stable.filter((tool) => tool.annotations?.readOnlyHint === true).map(({ name }) => name));
  return {
    all: [...new Set([...stable, ...candidate].map(({ name }) => name))],
    readOnly: candidate
      .filter(({ name, annotations }) => annotations?.readOnlyHint === true && reading.has(name))
      .map(({ name }) => name),
  };
}
