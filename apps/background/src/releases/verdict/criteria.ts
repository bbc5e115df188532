import type { Thresholds } from '#libs/rollouts';
import type { Tally } from './tally.js';

/** When a step's numbers are looked at: at a quarter more calls, or after so long, and when the step's time is over. */
export const LOOKS = { growth: 1.25, everyMs: 10_000 } as const;

/** Crashes and open breakers are compared from so many of the candidate's calls on, and where there are so many of them. */
export const GRAVE_SAMPLES_MIN = 5;
export const GRAVE_HITS_MIN = 2;

/** Latencies are compared from so many times `min_samples` on: a busy moment makes a few calls slow together. */
export const LATENCY_SAMPLES = 2;
/** A 95th percentile is too high only if it is so much above the stable release's, in milliseconds. */
export const ADDED_MS = 100;
/** The same where the stable release's calls are of another time: a busy moment must not take a good candidate away. */
export const OF_ANOTHER_TIME = { increase: 2, addedMs: 300 } as const;

/** Without a stable release's calls to compare with: the share of failed calls above which a candidate is bad. */
export const ERROR_RATE_MAX_ALONE = 0.5;
/** Where probes decide, for there is too little traffic: how many calls may have failed all the same. */
export const FAILURES_BESIDE_PROBES_MAX = 1;
/** So many seconds after a step's time is over, what its probes or its few calls have not told is somebody's to decide. */
export const LATE_SECONDS = 300;
/** What is this unlikely by chance is too doubtful for the next step, although it proves nothing. */
export const DOUBT = 0.05;

/** A share of calls that must not rise. */
export interface RateCriterion {
  readonly criterion: 'errors' | 'arguments' | 'breaker' | 'crashes';
  readonly what: string;
  /** Of the candidate, and what of the stable release's it is held against. */
  readonly count: (tally: Tally) => number;
  readonly against: (tally: Tally) => number;
  readonly increase: (thresholds: Thresholds) => number;
  readonly isGrave: boolean;
}

const INCREASE_OF_THE_GRAVE = 0.5;

/** The shares of calls that must not rise. */
export const RATE_CRITERIA: readonly RateCriterion[] = [
  {
    criterion: 'errors',
    what: 'of calls failed',
    count: ({ errors }) => errors,
    against: ({ errors }) => errors,
    increase: (thresholds) => thresholds.error_rate_increase,
    isGrave: false,
  },
  {
    criterion: 'arguments',
    what: 'of calls were refused for their arguments',
    count: ({ argumentFailures }) => argumentFailures,
    against: ({ argumentFailures }) => argumentFailures,
    increase: (thresholds) => thresholds.validation_failure_increase,
    isGrave: false,
  },
  {
    criterion: 'breaker',
    what: 'of calls met an open breaker',
    count: ({ breakerRefusals }) => breakerRefusals,
    // A breaker needs some traffic to open: where the upstream fails for both, one release may meet it before the other.
    against: ({ errors }) => errors,
    increase: () => INCREASE_OF_THE_GRAVE,
    isGrave: true,
  },
  {
    criterion: 'crashes',
    what: 'of calls lost their worker',
    count: ({ crashes }) => crashes,
    against: ({ crashes }) => crashes,
    increase: () => INCREASE_OF_THE_GRAVE,
    isGrave: true,
  },
];

/** How many tests share a look's alpha overall, and again at each tool: the shares, two of latency, one of answers. */
export const TESTS = RATE_CRITERIA.length + 3;
