/** When a candidate is bad, and how much must be known before it is good. The only place of these numbers. */
export const THRESHOLDS = {
  /** Calls that a release must have had, overall or at a tool, before its rates and latencies are compared. */
  samplesMin: 20,
  /** Crashes and open breakers are compared from so many of the candidate's calls on. */
  grave: { samplesMin: 5, hitsMin: 2 },
  /** How unlikely a difference must be by chance; divided by the number of comparisons. */
  significance: 0.005,
  /** A rate is too high above the stable release's times this. */
  rateRatio: 1.5,
  /**
   * The candidate's 95th percentile is too high above the stable one's times the ratio and more than so many milliseconds
   * above it. A busy moment makes a few calls slow together, so more of them are needed than for rates.
   */
  p95: { ratio: 1.5, addedMs: 100, samplesMin: 40 },
  /** The same where the stable release's calls are of another time: a busy moment must not take a good candidate away. */
  p95OfAnotherTime: { ratio: 3, addedMs: 300 },
  /** Without a stable release's calls to compare with: the highest share of errors. */
  errorRateMax: 0.5,
  /** Where probes decide, for there is too little traffic: how many calls may have failed all the same. */
  failuresBesideProbesMax: 1,
  /** Shadow: the highest share of answers that are not the stable release's. */
  differenceRateMax: 0.05,
} as const;
