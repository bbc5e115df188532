import { z } from 'zod';
import { queryOf } from '#libs/journey';
import { table } from '../output/table.js';
import { CliProblem } from '../problem.js';
import { pagesOf } from '../session/pages.js';
import type { Session } from '../session/session.js';
import type { AddCommands, Run } from './command.js';

const releaseSchema = z.object({
  id: z.string(),
  number: z.number(),
  version: z.string().nullable(),
  state: z.string(),
  kind: z.string(),
  tools: z.number(),
  created_at: z.string(),
});
const pageSchema = z.object({ releases: z.array(releaseSchema), next_cursor: z.string().nullable() });

/** A release as lists show it. */
export type ListedRelease = z.infer<typeof releaseSchema>;

/** `wharf releases`, `publish` and `rollback`. */
export const addReleases: AddCommands = (program, run) => {
  program
    .command('releases <server>')
    .description('list a server’s releases, newest first')
    .option('--diff <from..to>', 'show what is different between two releases instead, by number or version')
    .option('--cursor <cursor>', 'go on where a list ended that was too long')
    .action((server: string, { diff, cursor }: { diff?: string; cursor?: string }) =>
      diff === undefined ? list(run(), server, cursor) : showDiff(run(), server, diff),
    );
  program
    .command('publish <server> <release>')
    .description('make a release live at once; give its number or its version')
    .option('--acknowledge-breaking', 'it may break agents of the live release')
    .action((server: string, release: string, options: { acknowledgeBreaking?: boolean }) =>
      publish(run(), server, release, options.acknowledgeBreaking === true),
    );
  program
    .command('rollback <server>')
    .description('make the release before the live one live again')
    .action((server: string) => rollback(run(), server));
};

/** The releases of a server that somebody asks for, newest first. */
export async function releasesWhere(
  session: Session,
  server: string,
  wanted: (release: ListedRelease) => boolean,
  atMost: number,
): Promise<readonly ListedRelease[]> {
  const found: ListedRelease[] = [];
  for await (const { releases } of pagesOf(session, pathOf(server), pageSchema)) {
    found.push(...releases.filter(wanted));
    if (found.length >= atMost) break;
  }
  return found.slice(0, atMost);
}

/** A release by its number, version or id. @throws CliProblem where there is none */
export async function findRelease(session: Session, server: string, wanted: string): Promise<ListedRelease> {
  const [found] = await releasesWhere(
    session,
    server,
    ({ id, number, version }) => id === wanted || String(number) === wanted.replace(/^#/, '') || version === wanted,
    1,
  );
  if (found !== undefined) return found;
  throw new CliProblem(`${server} has no release ${wanted}.`, `See \`wharf releases ${server}\`.`);
}

function pathOf(server: string): string {
  return `/v1/servers/${encodeURIComponent(server)}/releases`;
}

async function list(run: Run, server: string, cursor: string | undefined): Promise<void> {
  const releases: ListedRelease[] = [];
  let next: string | null = null;
  for await (const page of pagesOf(await run.session(), pathOf(server), pageSchema, cursor)) {
    releases.push(...page.releases);
    next = page.next_cursor;
  }
  const rows = releases.map((release) => [
    `#${release.number}`,
    release.version ?? '',
    release.state,
    release.kind,
    String(release.tools),
    release.created_at,
  ]);
  run.output.result(
    { releases, next_cursor: next },
    table(['RELEASE', 'VERSION', 'STATE', 'KIND', 'TOOLS', 'BUILT'], rows),
  );
  if (next !== null) run.output.say(`There are older ones: wharf releases ${server} --cursor ${next}`);
}

async function showDiff(run: Run, server: string, range: string): Promise<void> {
  const [from, to] = range.split('..');
  if (!from || !to) throw new CliProblem(`"${range}" names no two releases.`, 'Write two numbers, such as 3..4.');
  const session = await run.session();
  const [before, after] = [await findRelease(session, server, from), await findRelease(session, server, to)];
  const path = `${pathOf(server)}/${after.id}/diff${queryOf({ from: before.id })}`;
  const diff = await (await session.door()).send({ method: 'GET', path });
  run.output.result(diff, JSON.stringify(diff, undefined, 2));
}

async function publish(run: Run, server: string, wanted: string, breaking: boolean): Promise<void> {
  const session = await run.session();
  const release = await findRelease(session, server, wanted);
  const api = await session.api();
  const published = await run.output.progress(`Publishing release #${release.number} of ${server}`).during(
    () => api.publish(server, release.id, breaking ? 'breaking is meant' : undefined),
    () => 'live',
  );
  run.output.result({ release: published }, `Release #${published.number} of ${server} is live.`);
}

async function rollback(run: Run, server: string): Promise<void> {
  const session = await run.session();
  await (await session.api()).rollback(server);
  const [live] = await releasesWhere(session, server, ({ state }) => state === 'live', 1);
  run.output.result({ server, live_release: live }, `Release #${live?.number ?? '?'} of ${server} is live again.`);
}
