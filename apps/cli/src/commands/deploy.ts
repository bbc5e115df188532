import { z } from 'zod';
import { ApiProblem, type Server } from '#libs/journey';
import { readDeployable, type Deployable } from '../deploy/source.js';
import { CliProblem } from '../problem.js';
import type { Session } from '../session/session.js';
import type { AddCommands, Run } from './command.js';

interface DeployOptions {
  readonly server?: string;
  readonly name?: string;
  readonly releaseVersion?: string;
  /** `false` with `--no-publish`. */
  readonly publish: boolean;
  readonly acknowledgeBreaking?: boolean;
}

const builtSchema = z.object({
  release: z.object({ id: z.string(), number: z.number(), state: z.string() }),
  report: z.object({
    tools: z.number(),
    list_tokens: z.number(),
    skipped: z.array(z.object({ operation: z.string(), reason: z.string() })),
  }),
  tool_tokens: z.array(z.object({ name: z.string(), tokens: z.number() })),
  aliases: z.array(z.object({ name: z.string(), alias: z.string() })).default([]),
  warnings: z.array(z.string()),
});
type Built = z.infer<typeof builtSchema>;

/** `wharf deploy` */
export const addDeploy: AddCommands = (program, run) => {
  program
    .command('deploy [what]')
    .description('build a release from an OpenAPI document, a wharf.json, an MCP bundle or npm:package, and publish it')
    .option('--server <slug>', 'the server’s name in its URL; made if there is none')
    .option('--name <name>', 'the server’s name for people')
    .option('--release-version <version>', 'a semantic version for the release')
    .option('--no-publish', 'build only')
    .option('--acknowledge-breaking', 'it may break agents of the live release')
    .action((what: string | undefined, options: DeployOptions) => deploy(run(), what ?? '.', options));
};

async function deploy(run: Run, what: string, options: DeployOptions): Promise<void> {
  const deployable = await readDeployable(what);
  const slug = options.server ?? deployable.server;
  if (slug === undefined || slug === '') throw new CliProblem('Which server?', 'Name it with --server.');
  const session = await run.session();
  const server = await provideServer(run, session, slug, options.name ?? deployable.name ?? slug);
  const source = await uploaded(run, session, deployable);
  const version = options.releaseVersion ?? deployable.version;
  const body = { source, ...(version === undefined ? {} : { version }) };
  const path = `/v1/servers/${slug}/releases`;
  const built = await run.output.progress(`Building a release of ${slug}`).during(
    async () => (await session.door()).ask({ method: 'POST', path, body }, builtSchema),
    ({ release, report }) => `#${release.number}, ${report.tools} tools, ${report.list_tokens} tokens`,
  );
  report(run, built);
  if (options.publish) await publish(run, session, slug, built, options.acknowledgeBreaking === true);
  const state = options.publish ? 'live' : built.release.state;
  run.output.result({ server: slug, url: server.urls.mcp, ...built, release: { ...built.release, state } }, [
    `Release #${built.release.number} of ${slug} is ${state}.`,
    `Agents connect to ${server.urls.mcp}`,
  ]);
}

async function provideServer(run: Run, session: Session, slug: string, name: string): Promise<Server> {
  const api = await session.api();
  try {
    return await api.server(slug);
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
  }
  const server = await api.createServer(slug, name);
  run.output.say(`Server ${slug} is new. Its tools may only read until you allow it to write.`);
  return server;
}

async function uploaded(run: Run, session: Session, { source, upload }: Deployable): Promise<unknown> {
  if (upload === undefined) return source;
  const artefact = await run.output
    .progress(`Uploading ${Math.ceil(upload.content.length / 1024)} KiB`)
    .during(async () => (await session.api()).uploadArtefact(upload.mediaType, upload.content));
  return { ...source, artefact };
}

const HEAVIEST = 5;
/** Lists that cost less are not worth a second look. */
const HEAVY_LIST_TOKENS = 10_000;

function report(
  run: Run,
  { report: { skipped, list_tokens: tokens }, tool_tokens: costs, aliases, warnings }: Built,
): void {
  if (tokens > HEAVY_LIST_TOKENS) {
    const heaviest = costs.toSorted((left, right) => right.tokens - left.tokens).slice(0, HEAVIEST);
    run.output.say(`agents pay about ${tokens} tokens for this list, most for:`);
    for (const { name, tokens: cost } of heaviest) run.output.say(`  ${name}: ${cost}`);
    run.output.say('A profile lists fewer of them, or lets agents search: docs/profiles.md.');
  }
  for (const { name, alias } of aliases.slice(0, 20)) run.output.say(`at your own URL ${name} is listed as ${alias}`);
  if (aliases.length > 20) run.output.say(`listed under aliases: ${aliases.length - 20} more`);
  for (const { operation, reason } of skipped.slice(0, 20)) run.output.say(`left out: ${operation}: ${reason}`);
  if (skipped.length > 20) run.output.say(`left out: ${skipped.length - 20} more`);
  for (const warning of warnings) run.output.say(`warning: ${warning}`);
}

async function publish(run: Run, session: Session, slug: string, built: Built, breaking: boolean): Promise<void> {
  const api = await session.api();
  await run.output.progress(`Publishing release #${built.release.number}`).during(
    () => api.publish(slug, built.release.id, breaking ? 'breaking is meant' : undefined),
    () => 'live',
  );
}
