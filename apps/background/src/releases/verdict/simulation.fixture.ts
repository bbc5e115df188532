import { LATENCY_CLASSES, latencyClass, type Rollout, type Sample } from '#libs/rollouts';
import { judge } from './judge.js';
import { ROLLOUT as RUNNING } from './samples.fixture.js';

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What a simulated release's calls are like: shares of those that fail and that lose their worker; milliseconds. */
export interface Behaviour {
  readonly errors: number;
  readonly crashes?: number;
  readonly medianMs?: number;
}

/** One step of a canary: a look each second, as the controller looks. */
export interface SimulatedStep {
  readonly seconds: number;
  readonly callsPerSecond: number;
  /** The candidate's part, 0 to 1. */
  readonly share: number;
  readonly tools: number;
  readonly stable: Behaviour;
  readonly candidate: Behaviour;
}

/** How it ended, and after how many of the candidate's calls. */
export interface SimulatedEnd {
  readonly decision: 'good' | 'bad' | 'wait' | 'ask';
  readonly candidateCalls: number;
  readonly reason: string;
}

type Counts = { -readonly [Key in keyof Sample]: Sample[Key] } & { readonly latencies: number[] };

const STARTED = new Date('2026-01-01T00:00:00Z');
const ROLLOUT: Rollout = { ...RUNNING, steps: [], step: 0, stepStartedAt: STARTED, stepSeconds: 0, createdAt: STARTED };

/** Runs a step with a judgement each second until it is bad, or until its time is over. */
export function simulate(step: SimulatedStep, random: () => number): SimulatedEnd {
  const samples = new Map<string, Counts>();
  const begun = { ...ROLLOUT, steps: [{ percent: 10, seconds: step.seconds }] };
  let verdict = judge(begun, [], undefined);
  for (let second = 1; second <= step.seconds; second += 1) {
    for (let call = 0; call < step.callsPerSecond; call += 1) {
      const release = random() < step.share ? 'candidate' : 'stable';
      count(samples, release, `tool-${Math.floor(random() * step.tools)}`, step[release], random);
    }
    verdict = judge({ ...begun, stepSeconds: second, verdict }, [...samples.values()], undefined);
    if (verdict.decision === 'bad') break;
  }
  return { decision: verdict.decision, candidateCalls: verdict.candidate.calls, reason: verdict.reason };
}

function count(
  samples: Map<string, Counts>,
  releaseId: string,
  tool: string,
  { errors, crashes = 0, medianMs = 40 }: Behaviour,
  random: () => number,
): void {
  const key = `${releaseId} ${tool}`;
  const none = { calls: 0, errors: 0, argumentFailures: 0, breakerRefusals: 0, crashes: 0, differences: 0 };
  const empty = {
    rolloutId: 'r',
    step: 0,
    releaseId,
    tool,
    ...none,
    latencies: Array<number>(LATENCY_CLASSES).fill(0),
  };
  const counts = samples.get(key) ?? empty;
  samples.set(key, counts);
  counts.calls += 1;
  // Latencies as they are: half as long as usual, or many times, log-normal.
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const at = latencyClass(medianMs * Math.exp(0.8 * normal));
  counts.latencies[at] = (counts.latencies[at] ?? 0) + 1;
  const crashed = random() < crashes;
  if (crashed) counts.crashes += 1;
  if (crashed || random() < errors) counts.errors += 1;
}
