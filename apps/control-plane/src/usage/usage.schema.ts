import { z } from 'zod';
import { searchText } from '../contract/text.js';
import { contract } from '../contract/contract.js';
import { day } from '../contract/times.js';
import { nextCursor, pageLimit } from '../paging/cursor.js';
import { usageCursor } from './usage-cursor.js';

const GROUPS = ['server', 'tool', 'client'] as const;

/** What sums can be told apart by, beside their time. */
export type UsageGroup = (typeof GROUPS)[number];

const DAYS_MAX = 366;

const filter = {
  from: day.optional().meta({ description: 'The first day, in UTC; the first of this month where it is left out.' }),
  to: day.optional().meta({ description: 'The day after the last; at most a year after the first.' }),
  per: z.enum(['hour', 'day', 'month']).default('day').meta({ description: 'How long a time each sum is of.' }),
  by: z
    .string()
    .regex(/^(?:server|tool|client)(?:,(?:server|tool|client)){0,2}$/, 'server, tool and client, separated by commas')
    .transform((text) => GROUPS.filter((group) => text.split(',').includes(group)))
    .optional()
    .meta({ description: 'What sums are told apart by, such as `server,tool`; nothing where it is left out.' }),
  server: searchText(64).optional().meta({ description: 'Only this server’s slug.' }),
  tool: searchText(128).optional().meta({ description: 'Only this tool, by its name.' }),
  client: searchText(512).optional().meta({ description: 'Only this client, or `api-key:` and a key’s id.' }),
};

/** The first day before the last, and not further than a year. */
export function isRange({ from, to }: { readonly from: string; readonly to: string }): boolean {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  return days > 0 && days <= DAYS_MAX;
}

const sums = {
  calls: z.int(),
  failed: z.int().meta({ description: 'Of them, those that were not answered: through the platform or its worker.' }),
  tool_seconds: z.number().meta({ description: 'How long workers had the tools’ calls.' }),
  bytes_in: z.int(),
  bytes_out: z.int(),
  egress_bytes: z
    .int()
    .meta({ description: 'What tools sent to and received from upstreams: bodies, as on the wire.' }),
};

const usageSchema = z
  .strictObject({
    at: z.iso.datetime().meta({ description: 'Where the hour, day or month begins.' }),
    server: z.string().nullable(),
    tool: z.string().nullable().meta({ description: 'Empty for calls that are of no tool, such as lists.' }),
    client: z.string().nullable(),
    ...sums,
  })
  .meta({ id: 'Usage', description: 'A sum; what it is not told apart by is null.' });

/** `GET /v1/usage` */
export const listUsage = contract({
  summary: 'Show what the tenant’s calls used, by time, server, tool and client.',
  description:
    'The ledger that plans’ budgets are checked against. A call is counted in the moment its audit record gets its number, once, so an hour adds up to the `call.completed` records of its time in the audit log.',
  query: z.strictObject({ ...filter, limit: pageLimit(1_000, 200), cursor: usageCursor }),
  answer: {
    status: 200,
    means: 'Sums, oldest first.',
    schema: z.strictObject({ usage: z.array(usageSchema), next_cursor: nextCursor }),
  },
});

/** `GET /v1/usage/export` */
export const exportUsage = contract({
  summary: 'Export what the tenant’s calls used as CSV.',
  description:
    'The same sums as `GET /v1/usage`, at most 100,000 of them: ask for a shorter time where there are more.',
  query: z.strictObject(filter),
  answer: { status: 200, means: 'A line for each sum, oldest first.', schema: z.string(), mediaType: 'text/csv' },
});

const budgetSchema = z
  .strictObject({
    budget: z.enum(['calls_per_month', 'tool_seconds_per_month', 'bytes_per_month', 'egress_bytes_per_month']),
    used: z.int(),
    allowed: z.int().nullable().meta({ description: 'Null where the plan allows any number.' }),
    state: z.enum(['free', 'warned', 'reached']),
  })
  .meta({ id: 'Budget' });

/** `GET /v1/usage/budgets` */
export const showBudgets = contract({
  summary: 'Show how much of the plan’s budgets this month’s calls have used up.',
  answer: {
    status: 200,
    means: 'The plan’s budgets.',
    schema: z.strictObject({
      month: z.string(),
      plan: z.string(),
      over_budget: z.enum(['refuse', 'serve']).meta({ description: 'What becomes of calls beyond a budget.' }),
      resets_at: z.iso.datetime(),
      budgets: z.array(budgetSchema),
    }),
  },
});
