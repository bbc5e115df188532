import type { z } from 'zod';
import { expectationSchema, type ProbeFigures } from '#libs/probes';
import type { AnswerOf } from '../contract/contract.js';
import type { ProbeResultRow, ProbeRow } from './probes.repository.js';
import type { getProbe, listProbeResults } from './probes.schema.js';

type ProbeView = z.input<typeof getProbe.answer.schema>['probe'];
type ResultsView = AnswerOf<typeof listProbeResults>;

/** A probe as the API shows it. */
export function probeView(row: ProbeRow): ProbeView {
  return {
    id: row.id,
    name: row.name,
    tool: row.tool,
    arguments: row.arguments,
    expect: expectationSchema.parse(row.expect),
    allow_effects: row.allow_effects,
    enabled: row.enabled,
    every_seconds: row.every_seconds,
    state: row.state,
    due_at: row.due_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}

/** A result as the API shows it. */
export function resultView(row: ProbeResultRow): ResultsView['results'][number] {
  return {
    id: row.id,
    at: row.at.toISOString(),
    run: row.job_id,
    release: row.release_id,
    cause: row.cause,
    passed: row.passed,
    reason: row.reason,
    latency_ms: row.latency_ms,
    result_sha256: row.result_digest,
    diverged: row.diverged,
  };
}

/** Figures as the API shows them. */
export function figuresView(figures: ProbeFigures | undefined): ResultsView['figures'] {
  if (figures === undefined) return { runs: 0, failure_ratio: 0, divergence_ratio: 0, latency_ms_median: null };
  const { runs, failures, divergences, latencyMs } = figures;
  return {
    runs,
    failure_ratio: failures / runs,
    divergence_ratio: divergences / runs,
    latency_ms_median: latencyMs,
  };
}
