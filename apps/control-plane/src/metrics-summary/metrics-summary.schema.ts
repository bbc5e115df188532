import { z } from 'zod';
import { contract } from '../contract/contract.js';
import { searchText } from '../contract/text.js';

/** Windows that can be asked for, and their length in minutes. */
export const WINDOW_MINUTES = { '5m': 5, '15m': 15, '1h': 60, '6h': 360, '24h': 1_440, '7d': 10_080, '30d': 43_200 };

const windowName = z.enum(['5m', '15m', '1h', '6h', '24h', '7d', '30d']);
const ratio = z.number().nullable();
const quantile = z.number().nullable().meta({ description: 'Seconds, worked out from histogram buckets.' });

const sums = {
  calls: z.int(),
  tool_errors: z.int().meta({ description: 'Answered by the tool as an error.' }),
  failures: z.int().meta({ description: 'Not answered: past the deadline, or the worker or the platform failed.' }),
  refusals: z.int().meta({ description: 'Refused: limits, unknown tools, requests that are wrong.' }),
  invalid_arguments: z.int().meta({ description: 'Arguments that are not what the tool asks for.' }),
  unknown_tools: z.int().meta({ description: 'Calls of tools that do not exist.' }),
  corrections: z.int().meta({ description: 'Tools that failed and were then called with success in the session.' }),
  repeats: z.int().meta({ description: 'Calls equal to the one before in the session.' }),
  error_ratio: ratio.meta({ description: '(tool_errors + failures) / calls; null without calls.' }),
  hallucination_ratio: ratio.meta({ description: '(invalid_arguments + unknown_tools) / calls; null without calls.' }),
  p50_seconds: quantile,
  p95_seconds: quantile,
  p99_seconds: quantile,
  queue_p95_seconds: quantile.meta({ description: 'Seconds of a call that were not spent in its worker.' }),
  concurrency_peak: z.int().meta({ description: 'Most calls of one tool under way at once in one gateway.' }),
  worker_memory_bytes: z.int().nullable().meta({
    description: 'Most memory of a worker at the end of a call; null where the platform does not measure it.',
  }),
};

const sumsSchema = z.strictObject(sums).meta({ id: 'CallSums' });

/** `GET /v1/metrics/summary` */
export const summarizeMetrics = contract({
  summary: 'Show what the tenant’s tool calls of a time add up to: in all, by server and by tool.',
  query: z.strictObject({
    window: windowName.default('1h').meta({ description: 'How far back; sums are kept for 30 days.' }),
    server: searchText(64).optional().meta({ description: 'Only this server’s slug.' }),
    tool: searchText(128).optional().meta({ description: 'Only this tool, by its name.' }),
  }),
  answer: {
    status: 200,
    means: 'Sums up to some seconds ago; the 500 tools with the most calls.',
    schema: z.strictObject({
      window: windowName,
      from: z.iso.datetime(),
      total: sumsSchema,
      servers: z.array(z.strictObject({ server: z.string(), ...sums }).meta({ id: 'ServerCallSums' })),
      tools: z.array(
        z
          .strictObject({
            server: z.string(),
            tool: z.string().meta({ description: '`other` stands for names that no tool answered to.' }),
            ...sums,
          })
          .meta({ id: 'ToolCallSums' }),
      ),
    }),
  },
});
