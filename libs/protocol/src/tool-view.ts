import { sha256Digest } from './canonical-json.js';

/** Which names are let through: those that a pattern of `include` means (all, without one) and none of `exclude`. */
export interface NameFilter {
  /** Names, in which `*` stands for any characters. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

/** What a profile makes of the releases behind a URL. Its SHA-256 over canonical JSON names it, like a release's manifest. */
export interface ToolView {
  readonly kind: 'view';
  /** Slugs of the servers behind it; without it, all. */
  readonly servers?: readonly string[];
  /** Set where tools that write are left out. */
  readonly only?: 'read';
  /** Full names of the tools that it lets through; without it, all that `exclude` leaves. */
  readonly tools?: readonly string[];
  readonly exclude: readonly string[];
  /** Full name of a tool → what it is called instead. */
  readonly renames: Readonly<Record<string, string>>;
  /** Most characters of a name; longer ones get an alias. */
  readonly nameMax: number;
  readonly prompts?: NameFilter;
  readonly resources?: NameFilter;
  /** Set where tools are searched for and not listed. */
  readonly search?: true;
}

/** The tool of search mode that runs another one. */
export const RUN_TOOL = 'run_tool';

/** Names that search mode takes for itself. */
export const SEARCH_MODE_TOOLS = ['search_tools', 'describe_tool', RUN_TOOL] as const;

const HASHES = [8, 16, 32] as const;

/** Whether a name is one that the patterns mean. A pattern is read from left to right once: nothing in it can take long. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matches(pattern, name));
}

/** Whether a filter lets a name through. */
export function passes({ include, exclude }: NameFilter, name: string): boolean {
  return (include === undefined || matchesAny(include, name)) && (exclude === undefined || !matchesAny(exclude, name));
}

/**
 * What the tools of a view are called, by their full names (`{server}__{tool}`); those that it leaves out are not among
 * them. The same for the same names, in whatever order they come: a rename has its name before a full name has, a full
 * name before an alias, and what would be called like another one gets a longer hash.
 */
export function shownNames(view: ToolView, fullNames: Iterable<string>): Map<string, string> {
  const passing = throughOf(view, fullNames).sort();
  const shown = new Map<string, string>();
  const taken = new Set<string>(view.search === true ? SEARCH_MODE_TOOLS : []);
  const give = (full: string, name: string): void => {
    shown.set(full, name);
    taken.add(name);
  };
  const free = (full: string): string => {
    const names = HASHES.map((hash) => aliasOf(full, view.nameMax, hash));
    return names.find((name) => !taken.has(name)) ?? names[0] ?? full;
  };
  const left = passing.filter((full) => {
    const renamed = renameOf(view, full);
    if (renamed === undefined || taken.has(renamed)) return true;
    give(full, renamed);
    return false;
  });
  const long = left.filter((full) => {
    if (full.length > view.nameMax || taken.has(full)) return true;
    give(full, full);
    return false;
  });
  for (const full of long) give(full, free(full));
  return shown;
}

/** The full names that a view lets through. */
export function throughOf({ tools, exclude }: ToolView, fullNames: Iterable<string>): string[] {
  const allowed = tools === undefined ? undefined : new Set(tools);
  return [...fullNames].filter((full) => allowed?.has(full) !== false && !matchesAny(exclude, full));
}

/** The beginning of a name that is too long, with a hash of the whole: the same everywhere and in every release. */
function aliasOf(full: string, nameMax: number, hashCharacters: number): string {
  const start = 'sha256:'.length;
  const hash = sha256Digest(full).slice(start, start + Math.min(hashCharacters, nameMax - 2));
  return `${full.slice(0, nameMax - hash.length - 1)}_${hash}`;
}

function renameOf({ renames }: ToolView, full: string): string | undefined {
  return Object.hasOwn(renames, full) ? renames[full] : undefined;
}

function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === name;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}
