import { ApiProblem } from '#libs/journey';
import type { AddCommands, Run } from '../commands/command.js';
import { CliProblem } from '../problem.js';
import type { Session } from '../session/session.js';
import { recordText } from './log-records.js';
import { followLog } from './log-stream.js';

interface LogOptions {
  readonly follow?: boolean;
  readonly lines: string;
  readonly event?: string;
  readonly tool?: string;
  readonly outcome?: string;
}

/** `wharf logs`: the audit log, which has every call. */
export const addLogs: AddCommands = (program, run) => {
  program
    .command('logs [server]')
    .description('what happened: calls, changes, sign-ins')
    .option('-f, --follow', 'go on as records come')
    .option('-n, --lines <count>', 'how many of the last records to show', '20')
    .option('--event <name>', 'only this event, such as call.completed or secret.written')
    .option('--tool <name>', 'only calls of this tool')
    .option('--outcome <outcome>', 'only this outcome, such as ok, refused or tool_error')
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
  if (records.length === 0) await sayNothingMatches(run, session, server);
  for (const record of records.slice(0, lines).reverse()) run.output.line(record, recordText(record));
  if (options.follow === true) await follow(run, session, filter, records[0]?.leaf_index ?? undefined);
}

/** A server that is gone has records still; where there are none, its name may be a slip. @throws ApiProblem */
async function sayNothingMatches(run: Run, session: Session, server: string | undefined): Promise<void> {
  if (server !== undefined) {
    const api = await session.api();
    await api.server(server).catch((error: unknown) => {
      // Who may read the log alone is not told whether there is such a server.
      if (!(error instanceof ApiProblem) || error.status !== 403) throw error;
    });
  }
  run.output.say('No record matches.');
}

async function follow(
  run: Run,
  session: Session,
  filter: Readonly<Record<string, string | undefined>>,
  newest: number | undefined,
): Promise<never> {
  const start = newest === undefined ? { from: new Date().toISOString() } : { from_leaf: newest + 1 };
  run.output.say('What comes next is shown as it comes; Ctrl-C ends it.');
  return followLog(
    session,
    { ...filter, ...start },
    {
      onLine: ({ leaf_index, record }) => run.output.line({ leaf_index, ...record }, recordText(record)),
      onPause: (why, seconds) => run.output.say(`The log broke off: ${why}. It is asked for again in ${seconds} s.`),
    },
  );
}
