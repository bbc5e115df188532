import { z } from 'zod';
import { ERROR_CATALOGUE } from '#libs/errors';
import { readGuardReport, type FromRunnerFrame } from '#libs/protocol';

const ARCHIVE_BYTES_MAX = 64 * 1024 * 1024;
const number = z.int().nonnegative();
const OUTCOMES = ['ok', 'tool_error', 'protocol_error', 'cancelled', 'deadline', 'worker_failed', 'refused'] as const;
const outcome = z.enum(OUTCOMES);
const FAULTS = ['invalid_arguments', 'unknown_tool'] as const;
const problem = z.object({ pointer: z.string(), message: z.string() });
const note = z.object({ pointer: z.string(), operation: z.string(), reason: z.string() });
const renamed = z.object({ from: z.string(), to: z.string(), reason: z.string() });

/** A runner works beside what a tenant wrote, so what it sends is checked like any stranger's message. */
const runnerFrame = z.discriminatedUnion('t', [
  z.object({ t: z.literal('ready') }),
  z.object({ t: z.literal('bound') }),
  z.object({ t: z.literal('pong') }),
  z.object({ t: z.literal('part'), s: number }),
  z.object({
    t: z.literal('done'),
    s: number,
    outcome,
    fault: z.enum(FAULTS).exactOptional(),
    serverEnded: z.literal(true).exactOptional(),
    own: z.literal(true).exactOptional(),
    guard: z.unknown().transform(readGuardReport).exactOptional(),
    content: z.string().exactOptional(),
  }),
  z.object({
    t: z.literal('fail'),
    s: number,
    failure: z.object({
      code: z.string().refine((code): code is keyof typeof ERROR_CATALOGUE => Object.hasOwn(ERROR_CATALOGUE, code)),
      message: z.string().max(65_536).exactOptional(),
      problems: z.array(problem).max(1_000).exactOptional(),
      retryAfterSeconds: z.number().nonnegative().exactOptional(),
    }),
    outcome,
  }),
  z.object({
    t: z.literal('built'),
    s: number,
    digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    report: z.object({
      tools: number,
      skipped: z.array(note),
      renamed: z.array(renamed),
      listBytes: number,
      listTokens: number,
    }),
    archiveBytes: z.int().min(1).max(ARCHIVE_BYTES_MAX).optional(),
  }),
  z.object({
    t: z.literal('fetch'),
    f: number,
    s: number,
    digest: z.string().max(128),
    tool: z.string().max(256),
    method: z.string().max(16),
    url: z.string().max(65_536),
    headers: z.record(z.string().max(256), z.string().max(65_536)),
    timeoutMs: z.number().positive(),
    stream: z.literal(true).exactOptional(),
    lasts: z.literal(true).exactOptional(),
    session: z.string().max(128).exactOptional(),
  }),
  z.object({ t: z.literal('fetch-abort'), f: number }),
  z.object({
    t: z.literal('ask'),
    s: number,
    a: number,
    serverSlug: z.string().max(64),
    about: z.enum(['documents', 'results', 'states']).exactOptional(),
  }),
  z.object({ t: z.literal('drifted'), digest: z.string().max(128) }),
  z.object({ t: z.literal('lists-changed'), digest: z.string().max(128) }),
]);

/** A runner's frame header as one of the frames it may send, or undefined. */
export function readRunnerFrame(header: unknown): FromRunnerFrame | undefined {
  const done = readDone(header);
  if (done !== undefined) return done;
  const parsed = runnerFrame.safeParse(header);
  return parsed.success ? parsed.data : undefined;
}

/** The frame that ends most calls, read as the schema would read it. */
function readDone(header: unknown): FromRunnerFrame | undefined {
  if (typeof header !== 'object' || header === null || !('t' in header) || header.t !== 'done') return undefined;
  if (!('s' in header) || !('outcome' in header) || !Number.isSafeInteger(header.s)) return undefined;
  const s = Number(header.s);
  const outcome = OUTCOMES.find((known) => known === header.outcome);
  if (s < 0 || outcome === undefined) return undefined;
  const fault = 'fault' in header ? FAULTS.find((known) => known === header.fault) : undefined;
  if ('fault' in header && fault === undefined) return undefined;
  const content = 'content' in header && typeof header.content === 'string' ? { content: header.content } : {};
  const ended = 'serverEnded' in header && header.serverEnded === true ? { serverEnded: true as const } : {};
  const own = 'own' in header && header.own === true ? { own: true as const } : {};
  const guard = 'guard' in header ? { guard: readGuardReport(header.guard) } : {};
  return { t: 'done', s, outcome, ...ended, ...own, ...guard, ...(fault === undefined ? {} : { fault }), ...content };
}
