import { z } from 'zod';

/** Milliseconds that a tool may take, and how many of its calls may be under way at once. */
export const toolLimitsSchema = z.strictObject({
  timeoutMs: z
    .int()
    .min(100)
    .max(120_000)
    .optional()
    .describe('How long it may take, in ms; where it tells of progress, anew after each.'),
  concurrentMax: z
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe('How many of its calls may be under way at once in a worker; more are refused.'),
});

export type ToolLimits = z.infer<typeof toolLimitsSchema>;
