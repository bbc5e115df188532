import { AppError, type Problem } from '#libs/errors';
import { SEARCH_MODE_TOOLS, shownNames, throughOf, TOOL_NAME, type ToolView } from '#libs/protocol';
import { toolsBehind } from './plan-view.js';
import type { LiveTools, StoredSettings } from './profiles.repository.js';

const PROBLEMS_MAX = 100;

/** What settings are judged by: the view they come to, and what is live. */
export interface Judged {
  readonly settings: StoredSettings;
  readonly view: ToolView;
  readonly live: readonly LiveTools[];
  /** The parts that are written now; what became of others is told as warnings. */
  readonly written: ReadonlySet<string>;
}

/** Refuses settings that name what is not there, or give names that clients would choke on. @throws AppError `unprocessable` */
export function refuseUnusable(judged: Judged): void {
  const all = [...serverProblems(judged), ...patternProblems(judged), ...renameProblems(judged)];
  const problems = all.filter(({ pointer }) => judged.written.has(pointer.split('/')[1] ?? ''));
  if (problems.length === 0) return;
  throw new AppError('unprocessable', {
    message: 'The profile names what is not there, or gives names that cannot be used. See the problems.',
    problems: problems.slice(0, PROBLEMS_MAX),
  });
}

function serverProblems({ settings: { servers }, live }: Judged): Problem[] {
  const slugs = live.map(({ slug }) => slug);
  return (servers ?? []).flatMap((slug, index) => {
    if (!slugs.includes(slug)) return [{ pointer: `/servers/${index}`, message: `you have no server ${slug}` }];
    return servers?.indexOf(slug) === index ? [] : [{ pointer: `/servers/${index}`, message: 'named twice' }];
  });
}

function patternProblems({ settings, live }: Judged): Problem[] {
  const behind = live.filter(({ slug }) => settings.servers === null || settings.servers.includes(slug));
  const known = new Set(toolsBehind(behind, null).map(({ full }) => full));
  const lists = { include: settings.tools.include ?? [], exclude: settings.tools.exclude };
  return Object.entries(lists).flatMap(([list, patterns]) =>
    patterns.flatMap((pattern, index) => {
      const fault = patternFault(pattern, behind, known);
      return fault === undefined ? [] : [{ pointer: `/tools/${list}/${index}`, message: fault }];
    }),
  );
}

function patternFault(pattern: string, behind: readonly LiveTools[], known: ReadonlySet<string>): string | undefined {
  if (pattern.startsWith('*')) return undefined;
  const server = behind.find(({ slug }) => pattern.startsWith(`${slug}__`));
  const [beforeStar = ''] = pattern.split('*', 1);
  const starInSlug = pattern.includes('*') && !beforeStar.includes('__');
  if (server === undefined)
    return starInSlug ? undefined : 'begin with `{server}__` of a server of this profile, or with `*`';
  if (pattern.includes('*') || server.tools === null || known.has(pattern)) return undefined;
  return `the live release of ${server.slug} has no such tool`;
}

function renameProblems({ settings, view, live }: Judged): Problem[] {
  const names = toolsBehind(live, settings.servers).map(({ full }) => full);
  const known = new Set(names);
  const through = new Set(throughOf(view, names));
  const plain = shownNames({ ...view, renames: {} }, names);
  const renamed = new Set(Object.keys(settings.renames));
  const others = new Map([...plain].flatMap(([full, name]) => (renamed.has(full) ? [] : [[name, full]])));
  const seen = new Map<string, string>();
  return Object.entries(settings.renames).flatMap(([full, name]) => {
    const fault =
      nameFault(name, view) ??
      targetFault(full, { known, through, settings, live }) ??
      (others.has(name) ? `the tool ${others.get(name)} is called so` : undefined) ??
      (seen.has(name) ? `the tool ${seen.get(name)} is renamed so too` : undefined);
    seen.set(name, full);
    return fault === undefined ? [] : [{ pointer: `/renames/${pointerPart(full)}`, message: fault }];
  });
}

function nameFault(name: string, view: ToolView): string | undefined {
  if (!TOOL_NAME.test(name)) return 'a name has 1 to 64 letters, digits, `_` and `-`; clients refuse others';
  if (name.length > view.nameMax)
    return `clients put their own prefix before names and take 64 characters in all, which leaves ${view.nameMax}; see short_names and client_name`;
  if (view.search === true && SEARCH_MODE_TOOLS.some((own) => own === name))
    return 'search mode has a tool of this name';
  return undefined;
}

function targetFault(
  full: string,
  {
    known,
    through,
    settings,
    live,
  }: { known: ReadonlySet<string>; through: ReadonlySet<string>; settings: StoredSettings; live: readonly LiveTools[] },
): string | undefined {
  if (known.has(full)) return through.has(full) ? undefined : 'this tool is left out, so that it cannot be renamed';
  const server = live.find(({ slug }) => full.startsWith(`${slug}__`) && settings.servers?.includes(slug) !== false);
  if (server === undefined) return 'begin with `{server}__` of a server of this profile';
  return server.tools === null ? undefined : `the live release of ${server.slug} has no such tool`;
}

function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
