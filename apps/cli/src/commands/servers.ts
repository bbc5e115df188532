import { z } from 'zod';
import { table } from '../output/table.js';
import { pagesOf } from '../session/pages.js';
import type { AddCommands, Run } from './command.js';

const serverSchema = z.object({
  slug: z.string(),
  name: z.string(),
  live_release: z.object({ number: z.number() }).nullable(),
  urls: z.object({ mcp: z.string() }),
});
const pageSchema = z.object({ servers: z.array(serverSchema), next_cursor: z.string().nullable() });

/** `wharf servers`. */
export const addServers: AddCommands = (program, run) => {
  program
    .command('servers')
    .description('list the servers and their environments, newest first')
    .action(() => list(run()));
};

async function list(run: Run): Promise<void> {
  const servers: Array<z.infer<typeof serverSchema>> = [];
  let next: string | null = null;
  for await (const page of pagesOf(await run.session(), '/v1/servers', pageSchema)) {
    servers.push(...page.servers);
    next = page.next_cursor;
  }
  const rows = servers.map(({ slug, name, live_release: live, urls }) => [
    slug,
    name,
    live === null ? '' : `#${live.number}`,
    urls.mcp,
  ]);
  run.output.result({ servers, next_cursor: next }, table(['SERVER', 'NAME', 'LIVE', 'URL FOR AGENTS'], rows));
}
