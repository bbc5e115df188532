import { LATENCY_CLASSES, latencyClass, type Rollout, type Sample } from '#libs/rollouts';
import type { ProbeFindings } from './probes.js';

/** A canary whose step has ten seconds behind it. */
export const ROLLOUT: Rollout = {
  tenantId: 't',
  id: 'r',
  serverId: 's',
  stableReleaseId: 'stable',
  candidateReleaseId: 'candidate',
  strategy: 'canary',
  steps: [{ percent: 100, seconds: 1 }],
  drainSeconds: 1,
  previousMajorUntil: null,
  overrideSchedule: false,
  thresholds: {},
  acceptedProbes: [],
  state: 'running',
  step: 1,
  percent: 10,
  stepStartedAt: new Date(),
  stepSeconds: 10,
  verdict: null,
  verdicts: [],
  reason: null,
  createdAt: new Date(),
  endedAt: null,
};

/** Calls of a release in that step, all of them as long. */
export function sample(
  releaseId: string,
  calls: number,
  more: Partial<Sample> & { readonly ms?: number } = {},
): Sample {
  const { ms = 5, ...counts } = more;
  const latencies = Array<number>(LATENCY_CLASSES).fill(0);
  latencies[latencyClass(ms)] = calls;
  const none = { errors: 0, argumentFailures: 0, breakerRefusals: 0, crashes: 0, differences: 0 };
  return { rolloutId: 'r', step: 1, releaseId, tool: 'echo', calls, ...none, latencies, ...counts };
}

/** Probes that all passed, with the same answers. */
export const PROBES: ProbeFindings = {
  enabled: 3,
  passed: 3,
  failed: [],
  different: [],
  changed: [],
  unsettled: [],
  unknown: [],
};
