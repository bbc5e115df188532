import { clientName } from '#libs/client-configs';
import {
  canonicalJson,
  CLIENT_NAME_MAX,
  matchesAny,
  nameMaxBehind,
  sha256Digest,
  shownNames,
  throughOf,
  type NameFilter,
  type ToolView,
} from '#libs/protocol';
import type { LiveTools, StoredSettings } from './profiles.repository.js';

/** A tool of a live release by its full name. */
export interface FullTool {
  readonly full: string;
  readonly server: string;
  readonly access: 'read' | 'write';
  readonly tokens: number | null;
}

/** What the tools at a profile's URL are: their full names, and what agents call them. */
export interface ShownTool extends FullTool {
  readonly name: string;
}

/** A view as workers and gateways are given it. */
export interface PlannedView {
  readonly view: ToolView;
  /** Canonical JSON. */
  readonly text: string;
  readonly digest: string;
}

/** The view that settings come to; releases do not change it. */
export function planView(settings: StoredSettings, at: { tenantSlug: string; slug: string }): PlannedView {
  const { servers, read_only: readOnly, tools, approved, renames, prompts, resources, search } = settings;
  const view: ToolView = {
    kind: 'view',
    ...(servers === null ? {} : { servers: servers.toSorted() }),
    ...(readOnly ? { only: 'read' } : {}),
    ...(approved === null ? {} : { tools: approved }),
    exclude: tools.exclude,
    renames,
    nameMax: nameMaxOf(settings, at),
    ...filterOf('prompts', prompts),
    ...filterOf('resources', resources),
    ...(search ? { search } : {}),
  };
  const text = canonicalJson(view);
  return { view, text, digest: sha256Digest(text) };
}

/** How long a name may be: what a client's limit leaves behind `mcp__{name}__`. */
function nameMaxOf(settings: StoredSettings, { tenantSlug, slug }: { tenantSlug: string; slug: string }): number {
  if (!settings.short_names) return CLIENT_NAME_MAX;
  const ofPage = { tenantSlug, serverSlug: slug === 'mcp' ? undefined : slug };
  return nameMaxBehind(settings.client_name ?? clientName(ofPage));
}

/** The tools of the live releases of a profile's servers, by full name; those that only its servers' settings close are among them. */
export function toolsBehind(live: readonly LiveTools[], servers: readonly string[] | null): FullTool[] {
  return live
    .filter(({ slug }) => servers === null || servers.includes(slug))
    .flatMap(({ slug, tools, tokens }) =>
      Object.entries(tools ?? {}).map(([name, access]) => ({
        full: `${slug}__${name}`,
        server: slug,
        access,
        tokens: tokens?.[name] ?? null,
      })),
    );
}

/** What an allow-list names now: whatever its patterns match, and the names in it that have no pattern. */
export function approvedBy(include: readonly string[] | null, tools: readonly FullTool[]): string[] | null {
  if (include === null) return null;
  const matched = tools.map(({ full }) => full).filter((full) => matchesAny(include, full));
  return [...new Set([...matched, ...include.filter((pattern) => !pattern.includes('*'))])].sort();
}

/** The tools that can be called there now, by full name. */
export function shownTools(view: ToolView, live: readonly LiveTools[]): ShownTool[] {
  const tools = toolsBehind(live, view.servers ?? null);
  const names = shownNames(
    view,
    tools.map(({ full }) => full),
  );
  const writable = new Set(live.filter(({ writes }) => writes).map(({ slug }) => slug));
  return tools
    .flatMap((tool) => {
      const name = names.get(tool.full);
      const closed = tool.access === 'write' && (view.only === 'read' || !writable.has(tool.server));
      return name === undefined || closed ? [] : [{ ...tool, name }];
    })
    .sort((left, right) => (left.full < right.full ? -1 : 1));
}

/** What of a profile no live release has any more, and what is new since it was written. */
export function warningsOf(settings: StoredSettings, view: ToolView, live: readonly LiveTools[]): string[] {
  const names = toolsBehind(live, settings.servers).map(({ full }) => full);
  const known = new Set(names);
  const through = new Set(throughOf(view, names));
  const shown = shownNames(view, names);
  const slugs = new Set(live.map(({ slug }) => slug));
  const { include } = settings.tools;
  return [
    ...(settings.servers ?? [])
      .filter((slug) => !slugs.has(slug))
      .map((slug) => `There is no server ${slug} any more.`),
    ...Object.entries(settings.renames).flatMap(([full, name]) => {
      if (!known.has(full)) return [`The tool ${full}, which is renamed to ${name}, is in no live release.`];
      if (!through.has(full)) return [`The tool ${full} is renamed to ${name} and left out.`];
      return shown.get(full) === name ? [] : [`The tool ${full} is not called ${name}, as another one is.`];
    }),
    ...(settings.approved ?? [])
      .filter((full) => !known.has(full))
      .map((full) => `The tool ${full} is in no live release.`),
    ...(include === null ? [] : names)
      .filter((full) => matchesAny(include ?? [], full) && settings.approved?.includes(full) === false)
      .map(
        (full) =>
          `The tool ${full} is new since the allow-list was written and not in it. Write "tools" again to take it in.`,
      ),
  ].slice(0, 100);
}

function filterOf(
  name: 'prompts' | 'resources',
  { include, exclude }: StoredSettings['prompts'],
): { readonly prompts?: NameFilter; readonly resources?: NameFilter } {
  if (include === null && exclude.length === 0) return {};
  return { [name]: { ...(include === null ? {} : { include }), exclude } };
}
