/**
 * A quantile from counts by bucket, as Prometheus's `histogram_quantile` works it out: linear within the bucket it falls
 * into, the highest bound for what lies beyond it; null without values.
 */
export function quantileOf(quantile: number, counts: readonly number[], bounds: readonly number[]): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = quantile * total;
  let below = 0;
  for (const [at, count] of counts.entries()) {
    const upper = bounds[at];
    if (upper === undefined) break;
    if (below + count >= rank && count > 0) {
      const lower = at === 0 ? 0 : (bounds[at - 1] ?? 0);
      return lower + ((upper - lower) * (rank - below)) / count;
    }
    below += count;
  }
  return bounds.at(-1) ?? null;
}
