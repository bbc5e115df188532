import type { Transaction } from '#libs/database';

/** What a release's calls to one tool were like during one step. */
export interface Sample {
  readonly rolloutId: string;
  readonly step: number;
  readonly releaseId: string;
  /** `''` for whatever names no tool of either release. */
  readonly tool: string;
  readonly calls: number;
  readonly errors: number;
  readonly argumentFailures: number;
  readonly breakerRefusals: number;
  readonly crashes: number;
  /** Shadow: answers that were not the stable release's. */
  readonly differences: number;
  /** How many calls fell into each class of `latencyClass`. */
  readonly latencies: readonly number[];
}

/**
 * Adds samples to what was counted before. Tools that neither release has are counted together, and rollouts that are
 * over or deleted are left alone, so that callers cannot make rows by inventing names.
 */
export async function addSamples(tx: Transaction, tenantId: string, samples: readonly Sample[]): Promise<void> {
  await tx.query(
    `insert into rollout_samples as held (tenant_id, rollout_id, step, release_id, tool, calls, errors,
       argument_failures, breaker_refusals, crashes, differences, latencies)
     select $1, r.id, g.step, g."releaseId", case when g.tool = any (r.tools) then g.tool else '' end as named,
       sum(g.calls), sum(g.errors), sum(g."argumentFailures"), sum(g."breakerRefusals"), sum(g.crashes),
       sum(g.differences), array(
         select sum((l.value)::int)::int from jsonb_array_elements(jsonb_agg(g.latencies)) as a,
           jsonb_array_elements(a.value) with ordinality as l group by l.ordinality order by l.ordinality)
     from jsonb_to_recordset($2::jsonb) as g("rolloutId" uuid, step int, "releaseId" uuid, tool text, calls int,
       errors int, "argumentFailures" int, "breakerRefusals" int, crashes int, differences int, latencies jsonb)
     join rollouts r on r.tenant_id = $1 and r.id = g."rolloutId"
       and r.state in ('checking', 'running', 'paused', 'draining')
       and g."releaseId" in (r.stable_release_id, r.candidate_release_id)
     group by r.id, g.step, g."releaseId", named
     order by r.id, g.step, g."releaseId", named
     on conflict (tenant_id, rollout_id, step, release_id, tool) do update set
       calls = held.calls + excluded.calls, errors = held.errors + excluded.errors,
       argument_failures = held.argument_failures + excluded.argument_failures,
       breaker_refusals = held.breaker_refusals + excluded.breaker_refusals,
       crashes = held.crashes + excluded.crashes, differences = held.differences + excluded.differences,
       latencies = array(select coalesce(a, 0) + coalesce(b, 0)
         from unnest(held.latencies, excluded.latencies) with ordinality as both_of(a, b, at) order by at)`,
    [tenantId, JSON.stringify(samples)],
  );
}

/** Everything that was counted during a rollout. */
export async function readSamples(tx: Transaction, tenantId: string, rolloutId: string): Promise<Sample[]> {
  return tx.query(
    `select rollout_id as "rolloutId", step, release_id as "releaseId", tool, calls, errors,
       argument_failures as "argumentFailures", breaker_refusals as "breakerRefusals", crashes, differences, latencies
     from rollout_samples where tenant_id = $1 and rollout_id = $2`,
    [tenantId, rolloutId],
  );
}
