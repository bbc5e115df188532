import {
  fitName,
  remoteAccess,
  TOOL_NAME,
  type Offers,
  type RemoteManifest,
  type RemoteUpstream,
  type ReleaseSource,
} from '#libs/protocol';
import { at, Problems } from '../build-checks/problems.js';
import type { ReportNotes } from '../build-checks/report.js';
import { refuseHidden } from '../build-checks/text-safety.js';
import { pinTool } from '../bundles/build-bundle.js';
import type { EgressPort } from '../egress/egress-port.js';
import { ABLE_CALLER } from '../peer/able-caller.js';
import { pinsOf, type Listed } from '../upstream/definitions.js';
import { reasonOf } from '../upstream/upstream-failure.js';
import { UpstreamSession } from '../upstream/upstream-session.js';

type RemoteSource = Extract<ReleaseSource, { kind: 'remote' }>;
type Tool = RemoteManifest['tools'][number];
type Access = RemoteManifest['remote']['upstreams'][number];
type ListedTool = Parameters<typeof pinTool>[2];

/** What a build has beside its source. */
export interface RemoteBuild {
  readonly port: EgressPort;
  /** Number of the build's exchange. */
  readonly s: number;
  readonly notes: ReportNotes;
}

const TOOLS_MAX = 2_000;
const BUILD_MS = 25_000;
const RESOURCES_PINNED_MAX = 500;
const TEXT_CHARACTERS_MAX = 16_384;

/** The manifest of upstream servers: each asked once for what it offers, which the release then pins. @throws AppError unprocessable */
export async function buildRemote(
  serverSlug: string,
  source: RemoteSource,
  build: RemoteBuild,
): Promise<RemoteManifest> {
  const problems = new Problems();
  const access = remoteAccess(source.upstreams);
  const learned = await Promise.all(
    access.upstreams.map((upstream, index) => learn(problems, at('/upstreams', index), upstream, build)),
  );
  problems.refuse();
  const tools = access.upstreams.flatMap((upstream, index) =>
    toolsOf(problems, at('/upstreams', index), {
      upstream,
      listed: learned[index]?.tools ?? [],
      wanted: source.upstreams[index]?.tools,
      notes: build.notes,
    }),
  );
  refuseClashes(problems, tools);
  problems.refuse();
  const [only] = learned.length === 1 ? learned : [];
  const instructions = source.instructions ?? only?.instructions?.slice(0, TEXT_CHARACTERS_MAX);
  refuseHidden(problems, '/instructions', instructions ?? '');
  problems.refuse();
  return {
    version: 1,
    kind: 'remote',
    server: {
      name: serverSlug,
      ...(source.title === undefined ? {} : { title: source.title }),
      ...(instructions === undefined ? {} : { instructions }),
    },
    origins: access.origins,
    credentials: access.credentials,
    remote: {
      upstreams: learned.flatMap((each) => (each === undefined ? [] : [each.upstream])),
      grants: access.grants,
    },
    tools,
  };
}

interface Learned {
  readonly upstream: RemoteUpstream;
  readonly tools: readonly Listed[];
  readonly instructions: string | undefined;
}

/** Connects to an upstream and asks for all that it offers. */
async function learn(
  problems: Problems,
  place: string,
  upstream: Pick<Access, 'name' | 'url' | 'prefix'>,
  { port, s }: RemoteBuild,
): Promise<Learned | undefined> {
  const asking = { s, lastMs: Date.now() + BUILD_MS };
  const start = {
    upstream,
    digest: '',
    port,
    link: ABLE_CALLER,
    asking,
    listens: false,
    onListChanged: () => undefined,
  };
  try {
    const session = await UpstreamSession.open(start);
    const tools = await session.list('tools', asking);
    const prompts = await session.list('prompts', asking);
    const resources = await session.list('resources', asking);
    const templates = await session.list('resourceTemplates', asking).catch(() => []); // many servers have none
    const { era, instructions, transport } = session;
    const pins = {
      tools: pinsOf('tools', tools),
      prompts: pinsOf('prompts', prompts),
      resources: pinsOf('resources', resources.slice(0, RESOURCES_PINNED_MAX)),
      resourceTemplates: pinsOf('resourceTemplates', templates.slice(0, RESOURCES_PINNED_MAX)),
    };
    const offers = offersOf(session);
    await session.stop();
    const spoken = { era, ...(transport === 'sse' ? { transport } : {}) };
    return { upstream: { ...upstream, ...spoken, offers, pins }, tools, instructions };
  } catch (error) {
    const detail = error instanceof Error ? error.message.slice(0, 200) : '';
    problems.add(at(place, 'url'), `This upstream did not list what it offers: ${reasonOf(error)} (${detail}).`);
    return undefined;
  }
}

/** What an upstream is asked for beside tools. Its log and its subscriptions are bridged between the eras. */
function offersOf({ capabilities }: UpstreamSession): Offers {
  const { resources, prompts, completions, logging } = capabilities;
  return {
    ...(resources === undefined ? {} : { resources: { subscribe: resources.subscribe === true } }),
    ...(prompts === undefined ? {} : { prompts: {} }),
    ...(completions === undefined ? {} : { completions: {} }),
    ...(logging === undefined ? {} : { logging: {} }),
  };
}

interface ListOf {
  readonly upstream: Pick<Access, 'name' | 'prefix'>;
  readonly listed: readonly Listed[];
  /** Names of those to take; without it, all. */
  readonly wanted: readonly string[] | undefined;
  readonly notes: ReportNotes;
}

/** The tools of one upstream under the names that agents call them by, in the order of those names. */
function toolsOf(problems: Problems, place: string, { upstream, listed, wanted, notes }: ListOf): Tool[] {
  for (const [index, name] of (wanted ?? []).entries())
    if (!listed.some((tool) => tool['name'] === name))
      problems.add(at(place, 'tools', index), 'The upstream lists no tool of this name.');
  const tools = listed.flatMap((tool) => {
    const own = String(tool['name']);
    const pointer = at(place, 'tools', own);
    if (wanted !== undefined && !wanted.includes(own)) {
      notes.skip(pointer, own, 'it is not among the tools to take');
      return [];
    }
    const name = shownName(upstream.prefix, own);
    if (name !== `${upstream.prefix}${own}`)
      notes.rename(own, name, 'major clients accept 64 characters of A-Z, a-z, 0-9, _ and -');
    // The checks that follow find out what it is.
    const pinned = pinTool(problems, pointer, { ...(tool as ListedTool), name });
    return [{ ...pinned, upstream: { name: upstream.name, tool: own } }];
  });
  return tools.sort((left, right) => (left.name < right.name ? -1 : 1));
}

function shownName(prefix: string, own: string): string {
  const name = `${prefix}${own}`;
  return TOOL_NAME.test(name) ? name : fitName(name.replaceAll(/[^A-Za-z0-9_-]/g, '_'));
}

function refuseClashes(problems: Problems, tools: readonly Tool[]): void {
  if (tools.length > TOOLS_MAX)
    problems.add(
      '/upstreams',
      `A release may have ${TOOLS_MAX} tools, and this has ${tools.length}. Name those to take.`,
    );
  const known = new Map<string, Tool>();
  for (const tool of tools) {
    const other = known.get(tool.name);
    if (other !== undefined)
      problems.add(
        '/upstreams',
        `${JSON.stringify(other.upstream.tool)} of ${other.upstream.name} and ${JSON.stringify(tool.upstream.tool)} of ${tool.upstream.name} would both be called ${JSON.stringify(tool.name)}. Give one of the upstreams a prefix of its own.`,
      );
    known.set(tool.name, tool);
  }
}
