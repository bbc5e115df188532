import { canonicalJson, sha256Digest, type RemoteManifest, type RemoteUpstream } from '#libs/protocol';
import { definitionDigest, diffReleases, listedToolsOf, type ReleaseDiff, type ToolChange } from '#libs/release-diff';

const NAMES_MAX = 200;

/** Names that stand in both, in one or differ. */
export interface NameChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** How what upstream servers list now differs from what a live release approved, short enough to be kept and sent. */
export interface Drift {
  readonly effect: ReleaseDiff['effect'];
  readonly tools: NameChanges;
  readonly prompts: NameChanges;
  readonly instructions: { readonly before: string | null; readonly after: string | null } | null;
  /** The canonical hashes of changed tools. */
  readonly hashes: ReadonlyArray<{ readonly tool: string; readonly approved: string; readonly listed: string }>;
  /** Why somebody must look at it even where compatible changes go out by themselves; undefined where nobody must. */
  readonly needsEyes: string | undefined;
}

/**
 * What of a release decides what agents are told and may call: all of it but the lists of resources, which are data that
 * comes and goes, and the pins of tools that the release does not take. Releases of one fingerprint are alike.
 */
export function fingerprintOf(manifest: RemoteManifest): string {
  const upstreams = manifest.remote.upstreams.map((upstream) => ({
    ...upstream,
    pins: { tools: takenPins(manifest, upstream), prompts: upstream.pins.prompts },
  }));
  return sha256Digest(canonicalJson({ ...manifest, remote: { ...manifest.remote, upstreams } }));
}

/** Compares a live release with one that was built now from the same source. */
export function driftBetween(live: RemoteManifest, now: RemoteManifest): Drift {
  const [before, after] = [listedToolsOf(live), listedToolsOf(now)];
  const diff = diffReleases(before, after);
  const prompts = promptChanges(live, now);
  const instructions = textChange(live.server.instructions, now.server.instructions);
  const digests = new Map(after.map((tool) => [tool.name, definitionDigest(tool)]));
  const changed = new Set(diff.changed.map(({ name }) => name));
  return {
    effect: overall(diff, { prompts, instructions, offersLess: offersLess(live, now) }),
    tools: { added: few(diff.added), removed: few(diff.removed), changed: few([...changed]) },
    prompts,
    instructions,
    hashes: before
      .flatMap((tool) => {
        const listed = digests.get(tool.name);
        if (listed === undefined || !changed.has(tool.name)) return [];
        return [{ tool: tool.name, approved: definitionDigest(tool), listed }];
      })
      .slice(0, NAMES_MAX),
    needsEyes: newWords(diff, prompts, instructions),
  };
}

function takenPins({ tools }: RemoteManifest, { name, pins }: RemoteUpstream): Record<string, string> {
  const taken = new Set(tools.flatMap(({ upstream }) => (upstream.name === name ? [upstream.tool] : [])));
  return Object.fromEntries(Object.entries(pins.tools).filter(([tool]) => taken.has(tool)));
}

function promptChanges(live: RemoteManifest, now: RemoteManifest): NameChanges {
  const [before, after] = [promptPins(live), promptPins(now)];
  return {
    added: few([...after.keys()].filter((name) => !before.has(name))),
    removed: few([...before.keys()].filter((name) => !after.has(name))),
    changed: few([...after].flatMap(([name, pin]) => (before.has(name) && before.get(name) !== pin ? [name] : []))),
  };
}

function promptPins({ remote }: RemoteManifest): Map<string, string> {
  return new Map(
    remote.upstreams.flatMap(({ prefix, pins }) =>
      Object.entries(pins.prompts).map(([name, pin]): [string, string] => [`${prefix}${name}`, pin]),
    ),
  );
}

function textChange(before: string | undefined, after: string | undefined): Drift['instructions'] {
  return before === after ? null : { before: before ?? null, after: after ?? null };
}

/** Whether an upstream has stopped offering a kind of thing, such as resources. */
function offersLess(live: RemoteManifest, now: RemoteManifest): boolean {
  const after = new Map(now.remote.upstreams.map(({ name, offers }) => [name, Object.keys(offers)]));
  return live.remote.upstreams.some(({ name, offers }) =>
    Object.keys(offers).some((kind) => after.get(name)?.includes(kind) !== true),
  );
}

function overall(
  { effect }: ReleaseDiff,
  beside: Pick<Drift, 'prompts' | 'instructions'> & { readonly offersLess: boolean },
): Drift['effect'] {
  if (effect === 'breaking' || beside.prompts.removed.length > 0 || beside.offersLess) return 'breaking';
  if (effect === 'compatible' || beside.prompts.added.length > 0) return 'compatible';
  return beside.prompts.changed.length > 0 || beside.instructions !== null ? 'wording' : effect;
}

/** Words are what an agent acts on: those of approved definitions do not change without somebody who has read them. */
function newWords(
  { changed }: ReleaseDiff,
  prompts: NameChanges,
  instructions: Drift['instructions'],
): string | undefined {
  const reworded = changed.filter(saysOther).map(({ name }) => name);
  if (reworded.length > 0) return `The words of approved tools changed: ${reworded.slice(0, 5).join(', ')}.`;
  if (prompts.changed.length > 0) return 'Approved prompts changed.';
  return instructions === null ? undefined : 'The instructions for agents changed.';
}

function saysOther({ description, title, annotations, meta, input, output }: ToolChange): boolean {
  if ([description, title, annotations, meta].some((change) => change !== undefined)) return true;
  return [...input, ...output].some(({ effect }) => effect === 'wording');
}

function few(names: readonly string[]): string[] {
  return names.slice(0, NAMES_MAX);
}
