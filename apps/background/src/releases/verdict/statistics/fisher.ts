/** So many of so many. */
export interface Rate {
  readonly hits: number;
  readonly of: number;
}

/**
 * Fisher's exact test, one-sided: how likely the candidate's hits, or more, would be if both had the same rate
 * (R. A. Fisher, The Design of Experiments, 1935; the hypergeometric distribution's upper tail).
 */
export function fisherGreater(candidate: Rate, stable: Rate): number {
  const hits = candidate.hits + stable.hits;
  const highest = Math.min(hits, candidate.of);
  const all = logChoose(candidate.of + stable.of, hits);
  let sum = 0;
  for (let k = candidate.hits; k <= highest; k += 1) {
    const term = Math.exp(logChoose(candidate.of, k) + logChoose(stable.of, hits - k) - all);
    sum += term;
    // Past the mode the terms only fall.
    if (term < sum * 1e-12 && k > (hits * candidate.of) / (candidate.of + stable.of)) break;
  }
  return Math.min(1, sum);
}

/** The natural logarithm of how many ways there are to take so many of so many. */
export function logChoose(n: number, k: number): number {
  return k < 0 || k > n ? -Infinity : logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

const EXACT_MAX = 32;
const EXACT = Array.from({ length: EXACT_MAX }, (_, n) => {
  let sum = 0;
  for (let k = 2; k <= n; k += 1) sum += Math.log(k);
  return sum;
});

/** Exact for small numbers, Stirling's series above (NIST DLMF 5.11.1), whose error is below 1e-12 there. */
function logFactorial(n: number): number {
  const exact = EXACT[n];
  if (exact !== undefined) return exact;
  const inverse = 1 / n;
  const series = inverse / 12 - inverse ** 3 / 360 + inverse ** 5 / 1260;
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + series;
}
