import { Option, type Command } from 'commander';
import { CliProblem } from '../problem.js';
import { parseSteps } from '../rollouts/rollout-steps.js';
import { placeText, rolloutText, verdictText } from '../rollouts/rollout-text.js';
import { RolloutsApi, STRATEGIES, type Move, type SeenRollout } from '../rollouts/rollouts-api.js';
import type { AddCommands, Run } from './command.js';
import { findRelease, releasesWhere } from './releases.js';

/** How soon a rollout that is followed is looked at again: thirty of the six hundred requests a minute that a tenant has. */
const AGAIN_MS = 2_000;

const MOVES: ReadonlyArray<readonly [Move, string]> = [
  ['pause', 'stop it where it is; a bad verdict still ends it'],
  ['resume', 'let it go on; its step begins anew'],
  ['promote', 'make its release live without waiting for more steps'],
  ['abort', 'take its release away from every caller, at once'],
];

interface StartOptions {
  readonly strategy?: string;
  readonly steps?: string;
  readonly drain?: string;
  readonly acknowledgeBreaking?: boolean;
  readonly acknowledgeRejected?: boolean;
  readonly overrideSchedule?: boolean;
  readonly follow?: boolean;
}

interface WhichOptions {
  readonly id?: string;
  readonly follow?: boolean;
}

/** `wharf rollout start|status|pause|resume|promote|abort`. */
export const addRollout: AddCommands = (program, run) => {
  const rollout = program.command('rollout').description('bring a release to the callers step by step');
  addStart(rollout, run);
  const which = (name: string, description: string): Command =>
    rollout
      .command(`${name} <server>`)
      .description(description)
      .option('--id <rollout>', 'not the newest one, but this');
  which('status', 'where it stands, and what its verdict rests on')
    .option('-f, --follow', 'go on until it is over; ends with 1 unless its release stays live')
    .action((server: string, options: WhichOptions) => status(run(), server, options));
  for (const [move, description] of MOVES)
    which(move, description).action((server: string, options: WhichOptions) => moveTo(run(), server, move, options));
};

function addStart(rollout: Command, run: () => Run): void {
  rollout
    .command('start <server> <release>')
    .description('begin one; give the release’s number or version')
    .addOption(new Option('--strategy <name>', 'how it is brought to the callers').choices(STRATEGIES))
    .option('--steps <steps>', 'percent and time of each step, such as 10:5m,50:10m,100:10m')
    .option('--drain <seconds>', 'how long sessions of the old release may go on after the switch')
    .option('--acknowledge-breaking', 'it may break agents of the live release')
    .option('--acknowledge-rejected', 'a rollout took it back, and it is meant to go out again')
    .option('--override-schedule', 'also outside of the release windows and while the server is frozen')
    .option('-f, --follow', 'go on until it is over; ends with 1 unless its release stays live')
    .action((server: string, release: string, options: StartOptions) => start(run(), server, release, options));
}

async function start(run: Run, server: string, wanted: string, options: StartOptions): Promise<void> {
  const session = await run.session();
  const steps = options.steps === undefined ? undefined : parseSteps(options.steps);
  const release = await findRelease(session, server, wanted);
  const rollouts = new RolloutsApi(session, server);
  const begun = await rollouts.start({
    release: release.id,
    strategy: options.strategy,
    steps,
    drain_seconds: secondsOf(options.drain),
    acknowledge_breaking: options.acknowledgeBreaking,
    acknowledge_rejected: options.acknowledgeRejected,
    override_schedule: options.overrideSchedule,
  });
  if (options.follow === true) return follow(run, rollouts, begun);
  run.output.result(
    { rollout: begun },
    `The ${begun.strategy} of release #${release.number} of ${server} begins. See \`wharf rollout status ${server} --follow\`.`,
  );
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined || /^\d+$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new CliProblem(`--drain takes a whole number of seconds, not "${text}".`);
}

async function status(run: Run, server: string, { id, follow: goOn }: WhichOptions): Promise<void> {
  const session = await run.session();
  const rollouts = new RolloutsApi(session, server);
  const rollout = await find(rollouts, id);
  if (goOn === true) return follow(run, rollouts, rollout);
  const named = [rollout.release, rollout.stable_release];
  const releases = run.output.json ? [] : await releasesWhere(session, server, ({ id }) => named.includes(id), 2);
  run.output.result({ rollout }, rolloutText(rollout, releases));
}

async function moveTo(run: Run, server: string, move: Move, { id }: WhichOptions): Promise<void> {
  const rollouts = new RolloutsApi(await run.session(), server);
  const { id: found } = await find(rollouts, id);
  const moved = await rollouts.move(found, move);
  run.output.result({ rollout: moved }, `The rollout is ${placeText(moved)}.`);
}

function find(rollouts: RolloutsApi, id: string | undefined): Promise<SeenRollout> {
  return id === undefined ? rollouts.newest() : rollouts.get(id);
}

/** A line whenever it is elsewhere or judged otherwise, until it is over, or a shadow waits for somebody. */
export async function follow(run: Run, rollouts: RolloutsApi, first: SeenRollout): Promise<void> {
  let shown = '';
  for (let rollout = first; ; rollout = await rollouts.get(first.id)) {
    const lines = [placeText(rollout), ...saidOf(rollout)];
    const told = [placeText(rollout), rollout.verdict?.decision, rollout.verdict?.hold].join(' ');
    if (told !== shown) run.output.line({ rollout }, lines.join('\n    '));
    shown = told;
    if (rollout.ended_at !== null && rollout.state !== 'promoted') process.exitCode = 1;
    if (rollout.ended_at !== null || isWaiting(rollout)) return;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

function saidOf({ state, reason, verdict }: SeenRollout): string[] {
  if (state === 'promoted') return reason === null ? [] : [reason];
  const judged = verdict === null ? [] : verdictText(verdict);
  return reason === null || reason === verdict?.reason ? judged : [reason, ...judged];
}

function isWaiting({ strategy, state }: SeenRollout): boolean {
  return strategy === 'shadow' && state === 'paused';
}
