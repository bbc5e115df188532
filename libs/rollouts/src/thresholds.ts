/** What a rollout does where a probe that must pass is answered differently by its candidate. */
export const ANSWER_POLICIES = ['pause', 'roll_back', 'ignore'] as const;

/** When a candidate is bad, and how much must be known: what a rollout may say of it; shares are 0 to 1. */
export interface Thresholds {
  /** How likely a step may take a candidate away that is no worse than the stable release, by chance, at most. */
  readonly alpha: number;
  /** Calls that both releases must have had, overall or at a tool, before their rates are compared. */
  readonly min_samples: number;
  /** A share of failed calls is too high above the stable release's by this share of it. */
  readonly error_rate_increase: number;
  /** The same of calls that are refused for their arguments. */
  readonly validation_failure_increase: number;
  /** The longest 95th percentile, where the stable release keeps to it. */
  readonly p95_ms_max: number;
  /** A 95th percentile is too high above the stable release's by this share of it (and by 100 ms). */
  readonly p95_increase: number;
  /** Shadow: the highest share of answers that are not the stable release's. */
  readonly difference_rate_max: number;
  readonly changed_answers: (typeof ANSWER_POLICIES)[number];
}

/** The thresholds of a rollout that names none. */
export const DEFAULT_THRESHOLDS: Thresholds = {
  alpha: 0.01,
  min_samples: 20,
  error_rate_increase: 0.5,
  validation_failure_increase: 0.5,
  p95_ms_max: 2_000,
  p95_increase: 0.5,
  difference_rate_max: 0.05,
  changed_answers: 'pause',
};

/** A rollout's thresholds, complete: what it was told, else the defaults. */
export function thresholdsOf({ thresholds }: { readonly thresholds: Partial<Thresholds> }): Thresholds {
  return { ...DEFAULT_THRESHOLDS, ...thresholds };
}
