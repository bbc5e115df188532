import { z } from 'zod';
import { ANSWER_POLICIES, DEFAULT_THRESHOLDS } from '#libs/rollouts';

const INCREASE_MAX = 100;

const increase = z.number().min(0).max(INCREASE_MAX);

const bounds = {
  alpha: z.number().min(0.000_001).max(0.1).meta({
    description: 'How likely a step takes a candidate away by chance that is as good as the live release, at most.',
  }),
  min_samples: z.int().min(5).max(100_000).meta({
    description: 'Calls that both must have had before their rates are compared; twice as many for latencies.',
  }),
  error_rate_increase: increase.meta({
    description:
      'A share of failed calls is bad above the live release’s plus this share of it: 0.5 is half as many again.',
  }),
  validation_failure_increase: increase.meta({ description: 'The same of calls refused for their arguments.' }),
  p95_ms_max: z.int().min(1).max(120_000).meta({
    description: 'The longest 95th percentile in milliseconds, to within a fifth, where the live release keeps to it.',
  }),
  p95_increase: increase.meta({
    description: 'A 95th percentile is bad above the live release’s plus this share of it, and plus 100 ms.',
  }),
  difference_rate_max: z.number().min(0).max(0.99).meta({
    description: 'Shadow: the highest share of answers that are not the live release’s.',
  }),
  changed_answers: z.enum(ANSWER_POLICIES).meta({
    description:
      'What a probe’s other answer on the candidate does, while the live release repeats its own: `pause` waits for ' +
      'somebody, `roll_back` takes the candidate away where the tool only reads (else it pauses), `ignore` names it.',
  }),
};

/** When a candidate is bad, as an order may say it; what it leaves out has its default. */
export const thresholdsSchema = z
  .strictObject({
    alpha: bounds.alpha.default(DEFAULT_THRESHOLDS.alpha),
    min_samples: bounds.min_samples.default(DEFAULT_THRESHOLDS.min_samples),
    error_rate_increase: bounds.error_rate_increase.default(DEFAULT_THRESHOLDS.error_rate_increase),
    validation_failure_increase: bounds.validation_failure_increase.default(
      DEFAULT_THRESHOLDS.validation_failure_increase,
    ),
    p95_ms_max: bounds.p95_ms_max.default(DEFAULT_THRESHOLDS.p95_ms_max),
    p95_increase: bounds.p95_increase.default(DEFAULT_THRESHOLDS.p95_increase),
    difference_rate_max: bounds.difference_rate_max.default(DEFAULT_THRESHOLDS.difference_rate_max),
    changed_answers: bounds.changed_answers.default(DEFAULT_THRESHOLDS.changed_answers),
  })
  .meta({ description: 'When the candidate is bad.' })
  .default(DEFAULT_THRESHOLDS);

/** When a rollout's candidate is bad. */
export const shownThresholds = z.strictObject(bounds);
