import { LRUCache } from 'lru-cache';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { allowsTool, scopeFor, type ScopedTool, type ToolAccess } from '#libs/identity';
import { fitName, type RouteBinding } from '#libs/protocol';
import type { PlacedCall } from '../sessions/place.js';

/** Over all remembered routes together. */
const TOOLS_MAX = 500_000;

interface MountedTool extends ScopedTool {
  readonly serverSlug: string;
}

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
   * The tool that a call is for; refuses one that may not be called. A name that is no tool of the route is left to its worker to answer: undefined.
   * @throws AppError insufficient_scope with the one scope that is missing; forbidden where the server has not opted in
   *   to tools that write; not_found where the server or its release is gone
   */
  async require(call: PlacedCall): Promise<MountedTool | undefined> {
    const { head } = call.exchange;
    if (head?.method !== 'tools/call' || head.subject === undefined) return undefined;
    const tools = this.#routes.get(call.route.key) ?? (await this.#load(call.route));
    const tool = tools.get(head.subject);
    if (tool !== undefined) requireTool(call, tool);
    return tool;
  }

  async #load({ tenantId, mounts, key }: RouteBinding): Promise<RouteTools> {
    const rows: Array<{ id: string; tools: Record<string, ToolAccess> }> = await this.database.asTenant(
      tenantId,
      (tx) =>
        tx.query(`select id, tools from releases where tenant_id = $1 and id = any($2)`, [
          tenantId,
          mounts.map(({ releaseId }) => releaseId),
        ]),
    );
    const byRelease = new Map(rows.map(({ id, tools }) => [id, tools]));
    const found = new Map<string, MountedTool>();
    for (const { serverSlug, releaseId, prefix } of mounts) {
      const tools = byRelease.get(releaseId);
      if (tools === undefined) throw new AppError('not_found');
      for (const [name, access] of Object.entries(tools)) {
        const shown = fitName(`${prefix}${name}`);
        // Of two that would be shown alike, the one that writes decides.
        if (found.get(shown)?.access !== 'write') found.set(shown, { name, access, serverSlug });
      }
    }
    this.#routes.set(key, found);
    return found;
  }
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
