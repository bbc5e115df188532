/**
 * Mann–Whitney U test, one-sided, on values counted in ordered classes: how likely the candidate's values would be so much
 * higher, or more, if both came from one distribution. Values of one class are ties; normal approximation with the
 * correction for ties and for continuity (H. B. Mann, D. R. Whitney, 1947; E. L. Lehmann, Nonparametrics, 1.4). Sound from
 * about eight values each.
 */
export function mannWhitneyGreater(candidate: readonly number[], stable: readonly number[]): number {
  const ofCandidate = total(candidate);
  const ofStable = total(stable);
  const all = ofCandidate + ofStable;
  if (ofCandidate === 0 || ofStable === 0) return 1;
  let u = 0;
  let below = 0;
  let ties = 0;
  for (let index = 0; index < Math.max(candidate.length, stable.length); index += 1) {
    const [mine, theirs] = [candidate[index] ?? 0, stable[index] ?? 0];
    u += mine * (below + theirs / 2);
    below += theirs;
    ties += (mine + theirs) ** 3 - (mine + theirs);
  }
  const variance = ((ofCandidate * ofStable) / 12) * (all + 1 - ties / (all * (all - 1)));
  if (variance <= 0) return 1;
  return upperTail((u - (ofCandidate * ofStable) / 2 - 0.5) / Math.sqrt(variance));
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The standard normal distribution's upper tail, to 1.2e-7 (W. H. Press et al., Numerical Recipes, 6.2, `erfcc`). */
function upperTail(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + x / 2);
  const coefficients = [
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
    -1.26551223,
  ];
  const polynomial = coefficients.reduce((sum, coefficient) => sum * t + coefficient, 0);
  const tail = (t * Math.exp(-x * x + polynomial)) / 2;
  return z >= 0 ? tail : 1 - tail;
}
