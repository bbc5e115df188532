import type { CandidateRow, WatchRow } from './drift.repository.js';
import type { CandidateAnswer } from './drift.schema.js';

const NOTHING = { added: [], removed: [], changed: [] };

/** What is watched of a server, as the API shows it; without a row, nothing is. */
export function watchView(row: WatchRow | undefined) {
  return {
    policy: row?.policy ?? ('approve' as const),
    outcome: row?.outcome ?? null,
    detail: row?.detail ?? null,
    checked_at: row?.checked_at?.toISOString() ?? null,
    due_at: row?.due_at?.toISOString() ?? null,
  };
}

/** A candidate as the API shows it. */
export function candidateView(row: CandidateRow): CandidateAnswer {
  return {
    id: row.id,
    state: row.state,
    base_release: row.base_release_id,
    release: row.release_id,
    effect: row.effect,
    tools: row.summary?.tools ?? NOTHING,
    prompts: row.summary?.prompts ?? NOTHING,
    instructions_changed: (row.summary?.instructions ?? null) !== null,
    problems: row.problems ?? [],
    reason: row.reason,
    rollout: row.rollout_id,
    found_at: row.found_at.toISOString(),
    seen_at: row.seen_at.toISOString(),
    decided_at: row.decided_at?.toISOString() ?? null,
  };
}
