import { LRUCache } from 'lru-cache';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { allowsTool, scopeFor } from '#libs/identity';
import { plainNames, shownNames, type RouteBinding, type ToolView } from '#libs/protocol';
import { findRouteTools, type FullTool, type MountedTool } from '../routing/route-tools.js';
import type { PlacedCall } from '../sessions/place.js';

/** Over all remembered routes together. */
const TOOLS_MAX = 500_000;

/** The tools of a route, by the name agents call them by. */
type RouteTools = ReadonlyMap<string, MountedTool>;

/**
 * Knows which tool of which server a call is for and whether it writes, and refuses what the principal's scopes or the
 * server itself do not allow. A route names releases, which never change, so what was read once stays true.
 */
export class ToolScopes {
  readonly #routes = new LRUCache<string, RouteTools>({
    maxSize: TOOLS_MAX,
    sizeCalculation: (tools) => tools.size + 1,
  });

  constructor(private readonly database: Database) {}

  /**
   * Refuses a call of a tool that may not be called; answers the tool, or nothing for a name that is no tool of the route,
   * which is left to its worker to answer.
   * @throws AppError insufficient_scope with the one scope that is missing; forbidden where the server has not opted in
   *   to tools that write; not_found where the server or its release is gone
   */
  async require(call: PlacedCall): Promise<MountedTool | undefined> {
    const { head } = call.exchange;
    if (head?.method !== 'tools/call' || head.subject === undefined) return undefined;
    const tools = await this.#toolsOf(call.route);
    const tool = tools.get(head.subject);
    if (tool !== undefined) requireTool(call, tool);
    return tool;
  }

  /** Whether a server's tool is one that can be called at a route. @throws AppError not_found, unavailable */
  async shows(route: RouteBinding, { serverSlug, name }: MountedTool): Promise<boolean> {
    const tools = await this.#toolsOf(route);
    return [...tools.values()].some((tool) => tool.serverSlug === serverSlug && tool.name === name);
  }

  async #toolsOf(route: RouteBinding): Promise<RouteTools> {
    return this.#routes.get(route.key) ?? (await this.#load(route));
  }

  async #load(route: RouteBinding): Promise<RouteTools> {
    const { view, tools } = await findRouteTools(this.database, route);
    const found = view === undefined ? plainly(route, tools) : asShown(view, tools);
    this.#routes.set(route.key, found);
    return found;
  }
}

function plainly({ mounts }: RouteBinding, tools: readonly FullTool[]): RouteTools {
  const found = new Map<string, MountedTool>();
  const { shown, also } = plainNames(
    mounts,
    tools.map(({ full }) => full),
  );
  for (const { full, digest: _, ...tool } of tools) {
    const name = shown.get(full) ?? full;
    // Of two that would be shown alike, the one that writes decides.
    if (found.get(name)?.access !== 'write') found.set(name, tool);
  }
  for (const [name, full] of also) {
    const tool = found.get(shown.get(full) ?? full);
    if (tool !== undefined) found.set(name, tool);
  }
  return found;
}

/** What a profile leaves out is no tool of its route, whoever asks. */
function asShown(view: ToolView, tools: readonly FullTool[]): RouteTools {
  const names = shownNames(
    view,
    tools.map(({ full }) => full),
  );
  return new Map(
    tools.flatMap(({ full, digest: _, ...tool }) => {
      const shown = names.get(full);
      return shown === undefined || (view.only === 'read' && tool.access === 'write') ? [] : [[shown, tool]];
    }),
  );
}

function requireTool({ tenant, principal }: PlacedCall, tool: MountedTool): void {
  const server = tenant.servers.find(({ slug }) => slug === tool.serverSlug);
  if (server === undefined) throw new AppError('not_found');
  if (tool.access === 'write' && !server.writes) {
    throw new AppError('forbidden', {
      message: `The tool ${tool.name} writes, and the server ${server.slug} only reads until its tenant turns writing on.`,
      detail: { rule: 'server.writes' },
    });
  }
  if (allowsTool(principal.scopes, server, tool)) return;
  const scope = scopeFor(server, tool);
  throw new AppError('insufficient_scope', {
    message: `The tool ${tool.name} needs the scope "${scope}".`,
    data: { scope },
    detail: { rule: `scope:${scope}` },
  });
}
