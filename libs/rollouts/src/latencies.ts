/** Latencies are counted in classes, each a fifth wider than the one before: 1 ms to two minutes in 65. */
export const LATENCY_CLASSES = 65;

const RATIO = 1.2;
const LOG_RATIO = Math.log(RATIO);

/** The class of a latency in milliseconds. */
export function latencyClass(ms: number): number {
  return ms <= 1 ? 0 : Math.min(LATENCY_CLASSES - 1, Math.ceil(Math.log(ms) / LOG_RATIO));
}

/** The longest latency of a class, in milliseconds. */
export function latencyOfClass(index: number): number {
  return RATIO ** index;
}

/** The latency that this share (0 to 1) of the counted calls did not exceed, undefined where none was counted. */
export function percentile(counts: readonly number[], share: number): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let seen = 0;
  const at = counts.findIndex((count) => (seen += count) >= share * total);
  return latencyOfClass(at);
}
