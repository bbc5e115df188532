import type { Transaction } from '#libs/database';
import { newId } from '#libs/database';
import { expectationSchema, type Expectation } from '#libs/probes';

/** A probe as it is run. */
export interface RunnableProbe {
  readonly id: string;
  readonly name: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly expect: Expectation;
  /** Whether it may call a tool that is not marked read-only. */
  readonly allowEffects: boolean;
}

/** Why a probe ran. */
export type ProbeCause = 'publish' | 'request' | 'schedule';

/** What a run belongs to. */
export interface ProbeRunOf {
  readonly tenantId: string;
  readonly releaseId: string;
  readonly jobId: string;
  readonly cause: ProbeCause;
}

/** How one run of a probe ended. */
export interface ProbeOutcome {
  readonly probe: RunnableProbe;
  /** Why it failed; undefined where it passed. */
  readonly reason: string | undefined;
  readonly latencyMs: number;
  /** SHA-256 of the answer, where there was one. */
  readonly digest: string | undefined;
}

/** A release that probes run on. */
export interface ProbedRelease {
  readonly releaseId: string;
  readonly serverSlug: string;
  readonly digest: string;
  readonly writes: boolean;
}

/** At most so many probes of a server run at a time, which is as many as it may have. */
export const PROBES_MAX = 20;

/** The enabled probes of a server, or those of them with these ids. */
export async function findProbes(
  tx: Transaction,
  tenantId: string,
  { serverId, ids }: { serverId: string; ids?: readonly string[] | undefined },
): Promise<RunnableProbe[]> {
  const rows: Array<Omit<RunnableProbe, 'expect'> & { expect: unknown }> = await tx.query(
    `select id, name, tool, arguments, expect, allow_effects as "allowEffects" from probes
     where tenant_id = $1 and server_id = $2 and enabled and ($3::uuid[] is null or id = any($3))
     order by created_at, id limit $4`,
    [tenantId, serverId, ids ?? null, PROBES_MAX],
  );
  return rows.map((row) => ({ ...row, expect: expectationSchema.parse(row.expect) }));
}

/** A release of a server of an active tenant, by default the live one; undefined where there is none. */
export async function findProbedRelease(
  tx: Transaction,
  tenantId: string,
  { serverId, releaseId }: { serverId: string; releaseId?: string | undefined },
): Promise<ProbedRelease | undefined> {
  const rows: ProbedRelease[] = await tx.query(
    `select r.id as "releaseId", s.slug as "serverSlug", s.writes, r.digest from servers s
     join tenants t on t.id = s.tenant_id and t.status = 'active'
     join releases r on r.tenant_id = s.tenant_id and r.server_id = s.id and r.id = coalesce($3::uuid, s.live_release_id)
     where s.tenant_id = $1 and s.id = $2`,
    [tenantId, serverId, releaseId ?? null],
  );
  return rows[0];
}

/** A result with what is known of the one before it. */
export interface KeptResult {
  readonly tenantSlug: string;
  readonly passed: boolean;
  readonly latencyMs: number;
  /** Compared with the last answer on the same release: `changed`, or the `first` of all; `none` where there was no answer. */
  readonly answer: 'first' | 'same' | 'changed' | 'none';
  /** Whether the answer changed, and had not changed the time before. */
  readonly divergenceBegins: boolean;
}

interface Before {
  readonly tenant: string;
  readonly digest: string | null;
  readonly diverged: boolean | null;
}

/** Keeps the result of a run; a run that is repeated leaves its later result. */
export async function keepResult(tx: Transaction, of: ProbeRunOf, outcome: ProbeOutcome): Promise<KeptResult> {
  const { probe, reason, latencyMs, digest } = outcome;
  const [before]: Before[] = await tx.query(
    `select t.slug as tenant, r.result_digest as digest, r.diverged from tenants t left join lateral (
       select result_digest, diverged from probe_results
       where tenant_id = $1 and probe_id = $2 and release_id = $3 and job_id <> $4 and result_digest is not null
       order by id desc limit 1) r on true
     where t.id = $1`,
    [of.tenantId, probe.id, of.releaseId, of.jobId],
  );
  const answer = answerAfter(before?.digest ?? null, digest);
  const diverged = answer === 'changed';
  await tx.query(
    `insert into probe_results
       (tenant_id, id, probe_id, release_id, job_id, cause, passed, reason, latency_ms, result_digest, diverged)
     select $1, $2, $3, $4, $5, $6, $7::text is null, $7, $8, $9, $10 from probes where tenant_id = $1 and id = $3
     on conflict (tenant_id, job_id, probe_id, release_id) do update set passed = excluded.passed,
       reason = excluded.reason, latency_ms = excluded.latency_ms, result_digest = excluded.result_digest,
       diverged = excluded.diverged`,
    [
      of.tenantId,
      newId(),
      probe.id,
      of.releaseId,
      of.jobId,
      of.cause,
      reason ?? null,
      Math.round(latencyMs),
      digest ?? null,
      diverged,
    ],
  );
  return {
    tenantSlug: before?.tenant ?? '',
    passed: reason === undefined,
    latencyMs,
    answer,
    divergenceBegins: diverged && before?.diverged === false,
  };
}

function answerAfter(before: string | null, digest: string | undefined): KeptResult['answer'] {
  if (digest === undefined) return 'none';
  if (before === null) return 'first';
  return before === digest ? 'same' : 'changed';
}

/** The state of a probe before and after a run. */
export interface MovedProbe {
  readonly from: string;
  readonly to: 'passing' | 'failing';
}

/** The state of a probe before and after it is moved to a new one, where the release that was probed is live. */
export async function moveProbe(
  tx: Transaction,
  of: ProbeRunOf,
  { probe, reason }: ProbeOutcome,
): Promise<MovedProbe | undefined> {
  const to = reason === undefined ? 'passing' : 'failing';
  const rows: Array<{ state: string }> = await tx.query(
    `select p.state from probes p
     join servers s on s.tenant_id = p.tenant_id and s.id = p.server_id and s.live_release_id = $3
     where p.tenant_id = $1 and p.id = $2 for update of p`,
    [of.tenantId, probe.id, of.releaseId],
  );
  const from = rows[0]?.state;
  if (from === undefined) return undefined;
  await tx.query(`update probes set state = $3 where tenant_id = $1 and id = $2`, [of.tenantId, probe.id, to]);
  return { from, to };
}
