import { z } from 'zod';
import { INLINE_BYTES_MAX, INLINE_BYTES_MIN } from '#libs/protocol';

/** The name of a plan. */
export const planName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'A plan’s name has up to 32 of a-z, 0-9 and -, and starts with a letter.');

const limits = {
  calls_per_minute: z.int().min(1).max(10_000_000),
  concurrent_calls: z.int().min(1).max(100_000),
  servers_max: z.int().min(1).max(10_000),
  worker_memory_mb: z.int().min(64).max(4_096),
};

const retention = z
  .int()
  .min(30)
  .max(2_557)
  .meta({ description: 'How long audit records stay in the log before they go to archives: a month to seven years.' });

const archives = z.int().min(1).max(36_525).nullable().meta({
  description:
    'How long archives of audit records are kept once they are made; null for ever. What is made already is kept as long as it was said then, or longer.',
});

const auditMode = z.enum(['process', 'disk', 'database']).meta({
  description:
    'How safe a call’s record is: its intent survives the end of the gateway (`process`) or of the machine (`disk`), ' +
    'or, beyond `disk`, its record is committed before the reply leaves (`database`).',
});

const sessions = {
  sessions_max: z
    .int()
    .min(1)
    .max(1_000_000)
    .meta({ description: 'Sessions of the 2025 era open at once, of the tenant.' }),
  client_sessions_max: z
    .int()
    .min(1)
    .max(1_000_000)
    .meta({ description: 'Sessions open at once of one person with one client, or of one key.' }),
  session_idle_seconds: z
    .int()
    .min(1)
    .max(86_400)
    .meta({ description: 'How long a session may rest; a worker keeps one for half an hour.' }),
};

const documents = {
  documents_max: z
    .int()
    .min(0)
    .max(10_000_000)
    .meta({ description: 'Documents of all the tenant’s servers together.' }),
  document_bytes_max: z.int().min(0).max(1_000_000_000_000).meta({ description: 'Bytes of their texts.' }),
};

const results = {
  inline_result_bytes_max: z
    .int()
    .min(INLINE_BYTES_MIN)
    .max(INLINE_BYTES_MAX)
    .meta({ description: 'How many bytes of an API’s answer a result shows; larger ones are kept and linked to.' }),
  kept_result_bytes_max: z
    .int()
    .min(0)
    .max(1_073_741_824)
    .meta({ description: 'Bytes of such answers that are kept at once; the oldest give way.' }),
};

const allowance = z.int().min(1).max(Number.MAX_SAFE_INTEGER).nullable();
const budgets = {
  calls_per_month: allowance.meta({ description: 'Calls in a month of UTC; null for any number.' }),
  tool_seconds_per_month: allowance.meta({ description: 'Seconds that tools work in a month; null for any number.' }),
  bytes_per_month: allowance.meta({
    description:
      'Bytes of requests and answers in a month, and what tools exchange with upstreams; null for any number.',
  }),
  egress_bytes_per_month: allowance.meta({
    description: 'Bytes that tools exchange with upstreams in a month; null for any number.',
  }),
  budget_warn_percent: z
    .int()
    .min(1)
    .max(100)
    .meta({ description: 'The part of a budget after which its use is said in the log.' }),
  over_budget: z
    .enum(['refuse', 'serve'])
    .meta({ description: 'Whether calls are refused once a budget is used up, or served and counted.' }),
};

const graceDays = z
  .int()
  .min(0)
  .max(365)
  .meta({ description: 'How long a tenant that asked to be deleted can still be restored.' });

const whenUncertain = z.enum(['allow', 'refuse']).meta({
  description:
    'What becomes of calls while Redis is away and nobody can count them for all gateways together: each gateway counts for itself, or they are refused.',
});

const isolationTier = z.enum(['shared', 'dedicated']).meta({
  description:
    'Whether its tenants’ rows lie with those of others, apart by row-level security, or may be moved to a database of their own.',
});

/** Limits that a tenant may have of its own, in place of its plan's. */
export const limitsOfOwn = z
  .strictObject({
    ...limits,
    sessions_max: sessions.sessions_max,
    client_sessions_max: sessions.client_sessions_max,
    ...documents,
    calls_per_month: budgets.calls_per_month,
    tool_seconds_per_month: budgets.tool_seconds_per_month,
    bytes_per_month: budgets.bytes_per_month,
    egress_bytes_per_month: budgets.egress_bytes_per_month,
  })
  .partial();

/** Everything a plan settles. */
export const planSettings = z.strictObject({
  ...limits,
  audit_retention_days: retention,
  audit_archive_days: archives,
  audit_mode: auditMode,
  ...sessions,
  ...documents,
  ...results,
  ...budgets,
  deletion_grace_days: graceDays,
  isolation_tier: isolationTier,
  when_uncertain: whenUncertain,
});

/** The same, with what holds where a plan that is made does not say. */
export const newPlanSettings = z.strictObject({
  ...limits,
  audit_retention_days: retention.default(365),
  audit_archive_days: archives.default(null),
  audit_mode: auditMode.default('disk'),
  sessions_max: sessions.sessions_max.default(1_000),
  client_sessions_max: sessions.client_sessions_max.default(100),
  session_idle_seconds: sessions.session_idle_seconds.default(1_800),
  documents_max: documents.documents_max.default(10_000),
  document_bytes_max: documents.document_bytes_max.default(104_857_600),
  inline_result_bytes_max: results.inline_result_bytes_max.default(INLINE_BYTES_MAX),
  kept_result_bytes_max: results.kept_result_bytes_max.default(33_554_432),
  calls_per_month: budgets.calls_per_month.default(null),
  tool_seconds_per_month: budgets.tool_seconds_per_month.default(null),
  bytes_per_month: budgets.bytes_per_month.default(null),
  egress_bytes_per_month: budgets.egress_bytes_per_month.default(null),
  budget_warn_percent: budgets.budget_warn_percent.default(80),
  over_budget: budgets.over_budget.default('refuse'),
  deletion_grace_days: graceDays.default(7),
  isolation_tier: isolationTier.default('shared'),
  when_uncertain: whenUncertain.default('allow'),
});
