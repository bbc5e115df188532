import { Option } from 'commander';
import { z } from 'zod';
import { ApiProblem } from '#libs/journey';
import { CliProblem } from '../problem.js';
import { parseSteps } from '../rollouts/rollout-steps.js';
import { RolloutsApi, rolloutSchema, STRATEGIES } from '../rollouts/rollouts-api.js';
import type { Session } from '../session/session.js';
import type { AddCommands, Run } from './command.js';
import { follow } from './rollout.js';

const promotedSchema = z.object({
  release: z.looseObject({ number: z.number(), digest: z.string(), state: z.string() }),
  rollout: rolloutSchema.nullable(),
});

interface PromoteOptions {
  readonly from: string;
  readonly strategy?: string;
  readonly steps?: string;
  readonly acknowledgeBreaking?: boolean;
  readonly overrideSchedule?: boolean;
  readonly follow?: boolean;
}

/** `wharf promote`. */
export const addPromote: AddCommands = (program, run) => {
  program
    .command('promote <server>')
    .description('bring the release that serves another environment of a server to this one')
    .option('--from <environment>', 'the environment that it serves', 'staging')
    .addOption(new Option('--strategy <name>', 'how it is brought to the callers').choices(STRATEGIES))
    .option('--steps <steps>', 'percent and time of each step, such as 10:5m,50:10m,100:10m')
    .option('--acknowledge-breaking', 'it may break agents of the live release')
    .option('--override-schedule', 'also outside of the release windows and while the server is frozen')
    .option('-f, --follow', 'go on until it is over; ends with 1 unless its release stays live')
    .action((server: string, options: PromoteOptions) => promote(run(), server, options));
};

async function promote(run: Run, server: string, options: PromoteOptions): Promise<void> {
  const session = await run.session();
  const path = `/v1/servers/${encodeURIComponent(server)}/promotions`;
  const body = {
    from: options.from,
    strategy: options.strategy,
    steps: options.steps === undefined ? undefined : parseSteps(options.steps),
    acknowledge_breaking: options.acknowledgeBreaking,
    override_schedule: options.overrideSchedule,
  };
  const { release, rollout } = await (
    await session.door()
  )
    .ask({ method: 'POST', path, body }, promotedSchema)
    .catch((error: unknown) => whatIsMissing(error, session, { server, from: options.from }));
  if (rollout !== null && options.follow === true) return follow(run, new RolloutsApi(session, server), rollout);
  const goes = rollout === null ? 'is published' : `goes out as a ${rollout.strategy}`;
  run.output.result(
    { release, rollout },
    `What serves ${options.from} is release #${release.number} of ${server} and ${goes}.`,
  );
}

/** Whether it is the server that there is none of, or its environment: the answer is the same. @throws always */
async function whatIsMissing(
  error: unknown,
  session: Session,
  { server, from }: { readonly server: string; readonly from: string },
): Promise<never> {
  if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
  await (await session.api()).server(server);
  throw new CliProblem(`${server} has no environment "${from}".`, 'See `wharf servers`, or name one with --from.');
}
