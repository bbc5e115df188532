import {
  plainNames,
  SEARCH_MODE,
  shownNames,
  toolAccess,
  type AnyManifest,
  type BundleManifest,
  type RemoteManifest,
  type ListedDefinition,
  type Mount,
  type SearchRun,
  type ToolDefinition,
  type ToolView,
} from '#libs/protocol';
import { AppError } from '#libs/errors';
import type { HostedServer, MountedBundle, MountedServer } from '../hosting/hosted-server.js';
import { mountedKnowledge, type KnowledgeRun, type MountedKnowledge } from '../knowledge/mounted-knowledge.js';
import { mountedResults } from '../results/mounted-results.js';
import type { MountedUpstream } from '../upstream-sessions/mounted-upstream.js';
import { didYouMean } from '../checks/closest.js';
import { scanParameterHeaders, type ParameterHeader } from '../tools/parameter-headers.js';
import type { ToolChecks } from '../checks/tool-checks.js';

/** How a tool runs: as one HTTP request, by a bundle's server, by an upstream under its own name, on documents, or as part of search mode. */
export type ToolRun =
  | { readonly kind: 'http'; readonly definition: ToolDefinition; readonly serverSlug: string }
  | { readonly kind: 'hosted'; readonly hosted: HostedServer }
  | UpstreamRun
  | KnowledgeRun
  | SearchRun;

/** A tool of an upstream server, and its name there. */
export interface UpstreamRun {
  readonly kind: 'upstream';
  readonly mounted: MountedUpstream;
  readonly tool: string;
}

/** A tool as a route serves it. What is costly to prepare is prepared at its first call and kept. */
export class CatalogueTool {
  #checks: Promise<ToolChecks> | undefined;
  #headers: readonly ParameterHeader[] | undefined;

  constructor(
    /** The name agents call it by: the mount's prefix and its own. */
    readonly name: string,
    /** Digest of the manifest it comes from. */
    readonly digest: string,
    readonly definition: ListedDefinition,
    readonly run: ToolRun,
  ) {}

  /** The checks around its calls; the engine that compiles them is loaded for the first one. */
  checks(): Promise<ToolChecks> {
    return (this.#checks ??= import('../checks/tool-checks.js').then(({ compileChecks }) =>
      compileChecks(this.name, this.definition),
    ));
  }

  /** The arguments that a modern client mirrors in `Mcp-Param-*` headers. */
  get parameterHeaders(): readonly ParameterHeader[] {
    return (this.#headers ??= scanParameterHeaders(this.definition.inputSchema).declarations);
  }
}

/** A tool as `tools/list` shows it. */
export type ListedTool = Pick<ListedDefinition, 'title' | 'description' | 'outputSchema' | 'annotations' | '_meta'> & {
  readonly name: string;
  readonly inputSchema: { readonly type: 'object'; readonly [keyword: string]: unknown };
};

/**
 * Everything a route offers: the tools of all its mounts that its view lets through, in mount order, then manifest order.
 * Read once, never changed.
 */
export class Catalogue {
  readonly #tools = new Map<string, CatalogueTool>();
  readonly #also: ReadonlyMap<string, string>; // another name that a tool answers to → the name in the list
  /** The list as agents receive it; in search mode, the tools that search. */
  readonly listed: readonly ListedTool[];
  /** What search mode finds: every tool that can be called. */
  readonly found: readonly ListedTool[];
  readonly server: { readonly name: string; readonly title?: string; readonly version: string };
  readonly instructions: string | undefined;
  /** What offers more than tools, in mount order. */
  readonly hosted: readonly MountedServer[];
  /** The third-party servers among that. */
  readonly bundles: readonly MountedBundle[];
  /** The upstream servers among them: what of the list is there changes with them. */
  readonly upstreams: readonly MountedUpstream[];
  /** The tenant's own documents among them. */
  readonly knowledge: readonly MountedKnowledge[];

  constructor(
    mounts: readonly Mount[],
    manifests: ReadonlyMap<string, AnyManifest>,
    /** What a profile makes of it. */
    readonly view?: ToolView,
  ) {
    const full = [...fullNamesOf(mounts, manifests)];
    const plain = plainNames(mounts, view === undefined ? full : []);
    const names = view === undefined ? plain.shown : shownNames(view, full);
    this.#also = new Map([...plain.also].map(([other, one]) => [other, plain.shown.get(one) ?? one]));
    for (const mount of mounts) this.#add(mount, getManifest(manifests, mount), names);
    this.hosted = mounts.flatMap((mount) => mountedServers(mount, getManifest(manifests, mount)));
    this.bundles = this.hosted.filter((server) => server.kind === 'bundle');
    this.upstreams = this.hosted.filter((server) => server.kind === 'upstream');
    this.knowledge = this.hosted.filter((server) => server.kind === 'knowledge');
    this.found = [...this.#tools.values()].map(listedTool);
    this.listed = view?.search === true ? this.#addSearchMode() : this.found;
    const [first] = mounts;
    const only = mounts.length === 1 && first !== undefined ? getManifest(manifests, first) : undefined;
    this.server = serverInfo(mounts, only);
    this.instructions = only?.server.instructions;
  }

  /** Whether its list is the same for every caller at every time. */
  get steady(): boolean {
    return this.upstreams.length === 0 || this.view?.search === true;
  }

  /** A tool by the name agents call it by. */
  findTool(name: string): CatalogueTool | undefined {
    return this.#tools.get(name) ?? this.#tools.get(this.#also.get(name) ?? '');
  }

  /** The list without the tools of upstream servers that are hidden. */
  list(hides: (mounted: MountedUpstream) => boolean): ListedTool[] {
    return this.listed.filter(({ name }) => {
      const run = this.#tools.get(name)?.run;
      return run?.kind !== 'upstream' || !hides(run.mounted);
    });
  }

  /** What to say about a name that is no tool here. */
  unknownTool(name: string): string {
    const added =
      this.upstreams.length === 0
        ? ''
        : ' Where an upstream has added it, the owner of this server must approve the release that has it first.';
    const next = this.view?.search === true ? 'Find names with search_tools.' : 'Call tools/list for the names.';
    return `There is no tool ${JSON.stringify(name.slice(0, 128))} here.${didYouMean(name, this.#tools.keys())} ${next}${added}`;
  }

  #addSearchMode(): ListedTool[] {
    const own = SEARCH_MODE.map(({ definition, run }) => new CatalogueTool(definition.name, '', definition, run));
    for (const tool of own) this.#tools.set(tool.name, tool);
    return own.map(listedTool);
  }

  #add(mount: Mount, manifest: AnyManifest, names: ReadonlyMap<string, string>): void {
    for (const { definition, run } of toolsOf(mount, manifest)) {
      if (mount.only === 'read' && toolAccess(run.kind === 'http' ? run.definition : definition) === 'write') continue;
      const name = names.get(`${mount.prefix}${definition.name}`);
      if (name !== undefined && !this.#tools.has(name))
        this.#tools.set(name, new CatalogueTool(name, mount.digest, definition, run));
    }
  }
}

function* fullNamesOf(mounts: readonly Mount[], manifests: ReadonlyMap<string, AnyManifest>): Generator<string> {
  for (const mount of mounts)
    for (const { name } of getManifest(manifests, mount).tools) yield `${mount.prefix}${name}`;
}

function toolsOf(mount: Mount, manifest: AnyManifest): Array<{ definition: ListedDefinition; run: ToolRun }> {
  if (manifest.kind === 'remote') return upstreamTools(mount, manifest);
  if (manifest.kind === 'knowledge') {
    const mounted = mountedKnowledge(mount, manifest);
    return manifest.tools.map(({ does, ...definition }) => ({ definition, run: { kind: 'knowledge', mounted, does } }));
  }
  if (manifest.kind !== 'bundle')
    return manifest.tools.map((definition) => ({
      definition,
      run: { kind: 'http', definition, serverSlug: mount.serverSlug },
    }));
  const run: ToolRun = { kind: 'hosted', hosted: hostedOf(mount, manifest) };
  return manifest.tools.map((definition) => ({ definition, run }));
}

function upstreamTools(mount: Mount, manifest: RemoteManifest): Array<{ definition: ListedDefinition; run: ToolRun }> {
  const upstreams = new Map(mountedUpstreams(mount, manifest).map((mounted) => [mounted.upstream.name, mounted]));
  return manifest.tools.flatMap(({ upstream: { name, tool }, ...definition }) => {
    const mounted = upstreams.get(name);
    return mounted === undefined ? [] : [{ definition, run: { kind: 'upstream' as const, mounted, tool } }];
  });
}

function mountedUpstreams({ digest, serverSlug, prefix }: Mount, { remote }: RemoteManifest): MountedUpstream[] {
  return remote.upstreams.map((upstream) => ({
    kind: 'upstream',
    digest,
    serverSlug,
    upstream,
    prefix: `${prefix}${upstream.prefix}`,
    offers: upstream.offers,
  }));
}

function mountedServers(mount: Mount, manifest: AnyManifest): MountedServer[] {
  if (manifest.kind === 'remote') return mountedUpstreams(mount, manifest);
  if (manifest.kind === 'knowledge') return [mountedKnowledge(mount, manifest)];
  if (manifest.kind !== 'bundle') return [mountedResults(mount)];
  const hosted = hostedOf(mount, manifest);
  return [{ kind: 'bundle', ...hosted, prefix: mount.prefix, offers: hosted.bundle.offers }];
}

function hostedOf({ digest }: Mount, { bundle, origins }: BundleManifest): HostedServer {
  return { digest, bundle, origins };
}

function getManifest(manifests: ReadonlyMap<string, AnyManifest>, mount: Mount): AnyManifest {
  const manifest = manifests.get(mount.digest);
  if (manifest === undefined)
    throw new AppError('internal', {
      message: 'A release of this route is missing.',
      detail: { digest: mount.digest },
    });
  return manifest;
}

function listedTool({ name, definition }: CatalogueTool): ListedTool {
  const { title, description, inputSchema, outputSchema, annotations, _meta } = definition;
  return {
    name,
    ...(title === undefined ? {} : { title }),
    description,
    inputSchema: { ...inputSchema, type: 'object' },
    ...(outputSchema === undefined ? {} : { outputSchema }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(_meta === undefined ? {} : { _meta }),
  };
}

function serverInfo(mounts: readonly Mount[], only: AnyManifest | undefined): Catalogue['server'] {
  const version = mounts
    .map((mount) => mount.digest.slice('sha256:'.length, 'sha256:'.length + 12))
    .join('.')
    .slice(0, 64);
  if (only === undefined)
    return {
      name:
        mounts
          .map((mount) => mount.serverSlug)
          .join(' + ')
          .slice(0, 128) || 'wharf',
      version: version || '0',
    };
  return { name: only.server.name, ...(only.server.title === undefined ? {} : { title: only.server.title }), version };
}
