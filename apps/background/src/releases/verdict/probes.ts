import type { Rollout } from '#libs/rollouts';

/** What a tenant's synthetic calls said of a candidate since its step began. */
export interface ProbeFindings {
  /** How many answered as expected. */
  readonly passed: number;
  /** Those that answered otherwise than with the stable release, each with what was different. */
  readonly changed: ReadonlyArray<{ readonly probe: string; readonly difference: string }>;
}

/** Where verdicts read what probes have found; undefined where the server has none. */
export interface CandidateProbes {
  findingsOf(rollout: Rollout): Promise<ProbeFindings | undefined>;
}
