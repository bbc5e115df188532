import { z } from 'zod';

const POINTER = /^(\/([^~/]|~[01])*)*$/;

/**
 * What a tenant expects of a tool's answer. There is nothing in it that could run for long: no pattern, no expression
 * and no path with wildcards, so that a shared service may compare it (docs/decisions).
 */
export const expectationSchema = z
  .strictObject({
    outcome: z
      .enum(['ok', 'tool_error'])
      .default('ok')
      .meta({ description: 'Whether the tool is to succeed, or to answer that it failed (`isError`).' }),
    contains: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({
        description:
          'What the result holds, such as `{"structuredContent": {"open": true}}`: of objects the members named here, ' +
          'of lists every item.',
      }),
    values: z
      .record(z.string().max(1_024).regex(POINTER, 'a JSON Pointer, such as /structuredContent/total'), z.unknown())
      .refine((values) => Object.keys(values).length <= 50, 'at most 50 values')
      .optional()
      .meta({ description: 'JSON Pointers (RFC 6901) into the result, and exactly what stands there.' }),
    text: z.string().min(1).max(1_024).optional().meta({ description: 'A part of one of the result’s texts.' }),
    latency_ms_max: z.int().min(1).max(10_000).optional(),
  })
  .meta({ id: 'ProbeExpectation' });

/** What a probe expects. */
export type Expectation = z.output<typeof expectationSchema>;
