import { Argument } from 'commander';
import type { AddCommands, Run } from '../commands/command.js';
import { DriftApi } from './drift-api.js';
import { candidatesText, candidateText, watchText } from './drift-text.js';

const LISTED = 20;

interface ApproveOptions {
  readonly acknowledgeBreaking?: boolean;
  readonly overrideSchedule?: boolean;
}

/** `wharf drift list|show|approve|refuse|policy|check`. */
export const addDrift: AddCommands = (program, run) => {
  const drift = program.command('drift').description('what upstream MCP servers list that was not approved');
  const on = (server: string, work: (run: Run, api: DriftApi) => Promise<void>): Promise<void> =>
    open(run(), server, work);
  drift
    .command('list <server>')
    .description('what was found, newest first, and the last look')
    .action((server: string) => on(server, list));
  drift
    .command('show <server> [candidate]')
    .description('all that is different; the newest that waits without an id')
    .action((server: string, id?: string) => on(server, (here, api) => show(here, api, id)));
  drift
    .command('approve <server> [candidate]')
    .description('roll it out by canary; the newest that waits without an id')
    .option('--acknowledge-breaking', 'it may break agents of the live release')
    .option('--override-schedule', 'also outside of the release windows and while the server is frozen')
    .action((server: string, id: string | undefined, options: ApproveOptions) =>
      on(server, (here, api) => approve(here, api, id, options)),
    );
  drift
    .command('refuse <server> [candidate]')
    .description('keep what was approved; the newest that waits without an id')
    .requiredOption('--reason <text>', 'why, for whoever reads it later')
    .action((server: string, id: string | undefined, { reason }: { reason: string }) =>
      on(server, (here, api) => refuse(here, api, id, reason)),
    );
  drift
    .command('policy <server>')
    .addArgument(new Argument('<policy>').choices(['approve', 'auto', 'reject']))
    .description('what is done from now on')
    .action((server: string, policy: string) => on(server, (here, api) => setPolicy(here, api, policy)));
  drift
    .command('check <server>')
    .description('look at the upstreams within seconds')
    .action((server: string) => on(server, check));
};

async function open(run: Run, server: string, work: (run: Run, api: DriftApi) => Promise<void>): Promise<void> {
  await work(run, new DriftApi(await run.session(), server));
}

async function list(run: Run, api: DriftApi): Promise<void> {
  const [drift, candidates] = [await api.watch(), await api.list(LISTED)];
  run.output.result({ drift, candidates }, [...watchText(drift), ...candidatesText(candidates)]);
}

async function show(run: Run, api: DriftApi, id?: string): Promise<void> {
  const detail = await api.get(id ?? (await api.newest()));
  run.output.result(detail, candidateText(detail));
}

async function approve(run: Run, api: DriftApi, id: string | undefined, options: ApproveOptions): Promise<void> {
  const candidate = await api.decide(id ?? (await api.newest()), 'approve', {
    acknowledge_breaking: options.acknowledgeBreaking === true,
    override_schedule: options.overrideSchedule === true,
  });
  run.output.result({ candidate }, `It is approved, and rollout ${candidate.rollout ?? ''} begins.`);
}

async function refuse(run: Run, api: DriftApi, id: string | undefined, reason: string): Promise<void> {
  const candidate = await api.decide(id ?? (await api.newest()), 'refuse', { reason });
  run.output.result({ candidate }, 'It is refused; what was approved goes on being served.');
}

async function setPolicy(run: Run, api: DriftApi, policy: string): Promise<void> {
  const drift = await api.setPolicy(policy);
  run.output.result({ drift }, watchText(drift));
}

async function check(run: Run, api: DriftApi): Promise<void> {
  const drift = await api.check();
  run.output.result({ drift }, 'The upstreams are looked at within seconds.');
}
