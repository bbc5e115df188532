import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { queryOf } from '#libs/journey';
import type { Output } from '../output/output.js';
import { CliProblem } from '../problem.js';
import type { Session } from '../session/session.js';
import type { AddCommands, Run } from './command.js';

const recordSchema = z.looseObject({
  at: z.string(),
  event: z.string(),
  actor: z.looseObject({ kind: z.string(), id: z.string().optional() }),
  target: z.string(),
  outcome: z.string(),
  details: z.looseObject({
    server: z.string().optional(),
    name: z.string().optional(),
    method: z.string().optional(),
  }),
});
const lineSchema = z.object({ leaf_index: z.number(), record: recordSchema });
type Line = z.infer<typeof lineSchema>;

interface LogOptions {
  readonly follow?: boolean;
  readonly lines: string;
  readonly event?: string;
  readonly tool?: string;
  readonly outcome?: string;
}

const HOUR_MS = 3_600_000;

/** `wharf logs`: the audit log, which has every call. */
export const addLogs: AddCommands = (program, run) => {
  program
    .command('logs [server]')
    .description('what happened: calls, changes, sign-ins')
    .option('-f, --follow', 'go on as records come')
    .option('-n, --lines <count>', 'how many of the last records to show', '20')
    .option('--event <name>', 'only this event, such as call.tools')
    .option('--tool <name>', 'only calls of this tool')
    .option('--outcome <outcome>', 'only this outcome, such as ok')
    .action((server: string | undefined, options: LogOptions) => logs(run(), server, options));
};

async function logs(run: Run, server: string | undefined, options: LogOptions): Promise<void> {
  const session = await run.session();
  const lines = Number(options.lines);
  if (!Number.isInteger(lines) || lines < 0 || lines > 200) {
    throw new CliProblem(`--lines takes a whole number from 0 to 200, not "${options.lines}".`);
  }
  const filter = { server, event: options.event, tool: options.tool, outcome: options.outcome };
  const { records } = await (await session.api()).auditPage({ ...filter, limit: Math.max(lines, 1) });
  const newest = records[0];
  for (const record of records.slice(0, lines).reverse()) run.output.line(record, textOf(record));
  if (options.follow === true) await follow(session, filter, run.output, newest?.leaf_index ?? undefined);
}

/** Goes on where the last stream ended, for the server ends each after an hour. */
async function follow(
  session: Session,
  filter: Readonly<Record<string, string | undefined>>,
  output: Output,
  newest: number | undefined,
): Promise<never> {
  let next = newest === undefined ? undefined : newest + 1;
  const since = next === undefined ? new Date().toISOString() : undefined;
  output.say('What comes next is shown as it comes; Ctrl-C ends it.');
  for (;;) {
    for await (const line of exported(session, { ...filter, follow: 'true', from_leaf: next, from: since })) {
      output.line({ leaf_index: line.leaf_index, ...line.record }, textOf(line.record));
      next = line.leaf_index + 1;
    }
  }
}

/** The lines of an export, as they come. */
async function* exported(
  session: Session,
  query: Readonly<Record<string, string | number | undefined>>,
): AsyncGenerator<Line> {
  const answer = await fetch(`${session.profile.url}/v1/audit/export${queryOf(query)}`, {
    headers: { authorization: `Bearer ${await session.managementBearer()}` },
    signal: AbortSignal.timeout(HOUR_MS + 60_000),
  });
  if (!answer.ok || answer.body === null) {
    throw new CliProblem(`The log was refused with ${answer.status}.`, 'May you read the audit log?');
  }
  // Web and Node streams of bytes are the same to Readable; their types are not.
  for await (const line of createInterface({ input: Readable.fromWeb(answer.body as never) })) {
    if (line !== '') yield lineSchema.parse(JSON.parse(line));
  }
}

/** One record in one line. */
function textOf(record: unknown): string {
  const { at, event, actor, target, outcome, details } = recordSchema.parse(record);
  const who = actor.id === undefined ? actor.kind : `${actor.kind}:${actor.id.slice(0, 8)}`;
  const what = [details.server, details.name ?? details.method].filter(Boolean).join(' ');
  return [at, outcome.padEnd(6), event, what === '' ? target : what, `by ${who}`].join('  ');
}
