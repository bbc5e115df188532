import type { Transaction } from '#libs/database';

/** Which runs of probes are counted. */
export interface FiguresWanted {
  readonly releaseId?: string;
  readonly probeId?: string;
  /** Runs before it do not count. */
  readonly since: Date;
}

/** How the runs of one probe went. */
export interface ProbeFigures {
  readonly probeId: string;
  readonly name: string;
  readonly tool: string;
  readonly runs: number;
  readonly failures: number;
  /** Runs whose answer was another than that of the run before, on the same release. */
  readonly divergences: number;
  /** Milliseconds that half of the runs stayed below. */
  readonly latencyMs: number;
  readonly lastPassed: boolean;
  /** Why the last run failed; null where it passed. */
  readonly lastReason: string | null;
  /** SHA-256 of the last answer; null where there was none. Compare those of two releases to see what they answer differently. */
  readonly lastDigest: string | null;
  /** The one of the last answer but one of the runs that passed. */
  readonly digestBefore: string | null;
  /** How many different answers there were in runs that passed. */
  readonly answers: number;
}

/** How a tenant's probes went on a release, probe by probe; a probe without a run is left out. */
export async function probeFigures(
  tx: Transaction,
  tenantId: string,
  { releaseId, probeId, since }: FiguresWanted,
): Promise<ProbeFigures[]> {
  return tx.query(
    `select p.id as "probeId", p.name, p.tool, count(*)::int as runs,
       count(*) filter (where not r.passed)::int as failures, count(*) filter (where r.diverged)::int as divergences,
       percentile_cont(0.5) within group (order by r.latency_ms)::float8 as "latencyMs",
       (array_agg(r.passed order by r.id desc))[1] as "lastPassed",
       (array_agg(r.reason order by r.id desc))[1] as "lastReason",
       (array_agg(r.result_digest order by r.id desc))[1] as "lastDigest",
       (array_agg(r.result_digest order by r.id desc) filter (where r.passed))[2] as "digestBefore",
       count(distinct r.result_digest) filter (where r.passed)::int as answers
     from probe_results r join probes p on p.tenant_id = r.tenant_id and p.id = r.probe_id
     where r.tenant_id = $1 and r.at >= $4 and ($2::uuid is null or r.release_id = $2)
       and ($3::uuid is null or r.probe_id = $3)
     group by p.id, p.name, p.tool order by p.name`,
    [tenantId, releaseId ?? null, probeId ?? null, since],
  );
}
