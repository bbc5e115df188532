import { z } from 'zod';
import { queryOf } from '#libs/journey';
import { table } from '../output/table.js';
import { CliProblem } from '../problem.js';
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
const pageSchema = z.object({ releases: z.array(releaseSchema) });

const PAGE = 100;

/** A release as lists show it. */
export type ListedRelease = z.infer<typeof releaseSchema>;

/** `wharf releases`, `publish` and `rollback`. */
export const addReleases: AddCommands = (program, run) => {
  program
    .command('releases <server>')
    .description('list a server’s releases, newest first')
    .option('--diff <from..to>', 'show what is different between two releases instead, by number')
    .action((server: string, { diff }: { diff?: string }) =>
      diff === undefined ? list(run(), server) : showDiff(run(), server, diff),
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

/** Up to a hundred releases of a server, newest first. */
export async function releasesOf(session: Session, server: string): Promise<readonly ListedRelease[]> {
  const path = `/v1/servers/${encodeURIComponent(server)}/releases${queryOf({ limit: PAGE })}`;
  return (await (await session.door()).ask({ method: 'GET', path }, pageSchema)).releases;
}

/** A release by its number, version or id. @throws CliProblem where there is none */
export async function findRelease(session: Session, server: string, wanted: string): Promise<ListedRelease> {
  const releases = await releasesOf(session, server);
  const found = releases.find(
    ({ id, number, version }) => id === wanted || String(number) === wanted.replace(/^#/, '') || version === wanted,
  );
  if (found !== undefined) return found;
  throw new CliProblem(`${server} has no release ${wanted}.`, `See \`wharf releases ${server}\`.`);
}

async function list(run: Run, server: string): Promise<void> {
  const releases = await releasesOf(await run.session(), server);
  const rows = releases.map((release) => [
    `#${release.number}`,
    release.version ?? '',
    release.state,
    release.kind,
    String(release.tools),
    release.created_at,
  ]);
  run.output.result({ releases }, table(['RELEASE', 'VERSION', 'STATE', 'KIND', 'TOOLS', 'BUILT'], rows));
}

async function showDiff(run: Run, server: string, range: string): Promise<void> {
  const [from, to] = range.split('..');
  if (!from || !to) throw new CliProblem(`"${range}" names no two releases.`, 'Write two numbers, such as 3..4.');
  const session = await run.session();
  const [before, after] = [await findRelease(session, server, from), await findRelease(session, server, to)];
  const path = `/v1/servers/${encodeURIComponent(server)}/releases/${after.id}/diff${queryOf({ from: before.id })}`;
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
  const live = (await releasesOf(session, server)).find(({ state }) => state === 'live');
  run.output.result({ server, live_release: live }, `Release #${live?.number ?? '?'} of ${server} is live again.`);
}
