import { table } from '../output/table.js';
import { findServers } from '../tenant/servers-api.js';
import type { AddCommands, Run } from './command.js';

/** `wharf servers`. */
export const addServers: AddCommands = (program, run) => {
  program
    .command('servers')
    .description('list the servers and their environments, newest first')
    .action(() => list(run()));
};

async function list(run: Run): Promise<void> {
  const found = await findServers(await run.session());
  const rows = found.servers.map(({ slug, name, live_release: live, urls }) => [
    slug,
    name,
    live === null ? '' : `#${live.number}`,
    urls.mcp,
  ]);
  run.output.result(found, table(['SERVER', 'NAME', 'LIVE', 'URL FOR AGENTS'], rows));
}
