import { diffReleases, type ListedTool, type ReleaseDiff } from './release-diff.js';

/** A release as the rule about breaking changes sees it. */
export interface VersionedRelease {
  /** Semantic version; null where it bears none. */
  readonly version: string | null;
  readonly tools: readonly ListedTool[];
}

/** What comes of replacing a live release by another. */
export interface ReleaseStep {
  readonly effect: ReleaseDiff['effect'];
  /** Whether agents of the old one keep it at the URL of its major version. */
  readonly keepsOldMajor: boolean;
  /** Why the step needs somebody to acknowledge it; undefined where it does not. */
  readonly refusal: string | undefined;
}

const NAMES_SHOWN = 5;

/** The first number of a semantic version; undefined where there is no version. */
function majorOf(version: string | null): number | undefined {
  return version === null ? undefined : Number.parseInt(version, 10);
}

/** Judges the step from the live release to the next: a breaking one needs a new major version, or an acknowledgement. */
export function judgeStep(live: VersionedRelease, next: VersionedRelease): ReleaseStep {
  const diff = diffReleases(live.tools, next.tools);
  const [had, has] = [majorOf(live.version), majorOf(next.version)];
  const keepsOldMajor = had !== undefined && has !== undefined && has > had;
  const refusal = diff.effect !== 'breaking' || keepsOldMajor ? undefined : refusalOf(diff, live);
  return { effect: diff.effect, keepsOldMajor, refusal };
}

function refusalOf({ removed, changed }: ReleaseDiff, { version }: VersionedRelease): string {
  const broken = changed.filter(({ effect }) => effect === 'breaking').map(({ name }) => name);
  const what = [
    ...(removed.length > 0 ? [`removed: ${shown(removed)}`] : []),
    ...(broken.length > 0 ? [`changed so that calls may fail: ${shown(broken)}`] : []),
  ];
  const orMajor =
    version === null
      ? 'Had the live release a version, a new major version would keep it reachable.'
      : `Or build it with a major version above ${majorOf(version)}, which keeps the live one reachable.`;
  return (
    `This breaks agents of the live release (tools ${what.join('; ')}). ` +
    `Publish with "acknowledge_breaking": true if that is meant. ${orMajor}`
  );
}

function shown(names: readonly string[]): string {
  const rest = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  return `${names.slice(0, NAMES_SHOWN).join(', ')}${rest}`;
}
