import { z } from 'zod';

const DAY_SECONDS = 24 * 60 * 60;

/** How long a credential goes on beside the one that follows it: a day unless said, 7 days at most. `goesOn` says who does what. */
export function overlapSeconds(goesOn: string) {
  return z
    .int()
    .min(0)
    .max(7 * DAY_SECONDS)
    .default(DAY_SECONDS)
    .meta({ description: `How long ${goesOn}: a day unless said, 7 days at most.` });
}
