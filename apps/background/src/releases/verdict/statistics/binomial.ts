import { logChoose, type Rate } from './fisher.js';

/** Exact binomial test, one-sided: how likely so many hits, or more, would be if each came with this chance (0 to 1). */
export function binomialGreater({ hits, of }: Rate, chance: number): number {
  if (hits <= 0) return 1;
  let sum = 0;
  for (let k = hits; k <= of; k += 1) {
    const term = Math.exp(logChoose(of, k) + k * Math.log(chance) + (of - k) * Math.log1p(-chance));
    sum += term;
    // Past the mode the terms only fall.
    if (term < sum * 1e-12 && k > of * chance) break;
  }
  return Math.min(1, sum);
}
