/** Everything that a principal may do at a resource, now and later; also the scope of tenants' own keys. */
export const EVERYTHING = 'mcp';
/** Reading at every server behind a URL. No server can be called `mcp`, so it names none. */
export const READ_EVERYWHERE = 'mcp:read';

/** What a tool does: tools that are not known to only read are taken to write. */
export type ToolAccess = 'read' | 'write';

/** What a server's tenant has decided about its scopes. */
export interface ServerScopes {
  readonly slug: string;
  /** Whether its tools that write can be called at all. */
  readonly writes: boolean;
  /** What agents are asked for at first: reading, or writing at once for agents that cannot ask for more later. */
  readonly asksFor: ToolAccess;
  /** Named groups of tools: the scope `{server}:{name}` allows exactly these. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** A tool as scopes see it. */
export interface ScopedTool {
  readonly name: string;
  readonly access: ToolAccess;
}

/** The least that is worth asking for at a URL: to read, at its server or at all. */
export function basicScope(serverSlug: string | undefined): string {
  return serverSlug === undefined ? READ_EVERYWHERE : `${serverSlug}:read`;
}

/** Whether a slug, or a scope, is of an environment other than production, which the tenant's own URL does not serve. */
function isEnvironment(named: string): boolean {
  return named.includes('~');
}

/** How many servers' writing the tenant's own URL asks for at first; a challenge is one header. */
const ASKED_MAX = 20;

/** What agents are asked for at a URL at first: the least, and writing where a server wants it asked for at once. */
export function firstScope(servers: readonly ServerScopes[], serverSlug: string | undefined): string {
  const asking = servers.filter(({ slug, writes, asksFor }) => {
    return writes && asksFor === 'write' && (serverSlug === undefined ? !isEnvironment(slug) : slug === serverSlug);
  });
  const writing = asking.slice(0, ASKED_MAX).map(({ slug }) => `${slug}:write`);
  return [basicScope(serverSlug), ...writing].join(' ');
}

/** The scopes that one server knows, least first; writing is none of them until its tenant opts in. */
export function scopesOf({ slug, writes, groups }: ServerScopes): string[] {
  const names = ['read', ...(writes ? ['write'] : []), ...Object.keys(groups).sort()];
  return names.map((name) => `${slug}:${name}`);
}

/** Which of the offered scopes are held, by name or because a wider one is: `mcp` holds all, writing holds its server's. */
export function withImplied(held: readonly string[], offered: readonly string[]): string[] {
  return offered.filter((scope) => {
    const [slug, name] = scope.split(':');
    const implied = held.includes(EVERYTHING) || held.includes(`${slug}:write`);
    return (
      held.includes(scope) || (name !== undefined && (implied || (name === 'read' && held.includes(READ_EVERYWHERE))))
    );
  });
}

/** Whether any of the scopes is one of this URL's, so that its principal may connect and look around. */
export function opens(held: readonly string[], serverSlug: string | undefined): boolean {
  return held.some(
    (scope) =>
      scope === EVERYTHING ||
      scope === READ_EVERYWHERE ||
      (serverSlug === undefined ? scope.includes(':') && !isEnvironment(scope) : scope.startsWith(`${serverSlug}:`)),
  );
}

/**
 * Whether the scopes allow a call of a tool: `mcp` allows all, `{server}:write` all of its server, `{server}:read` what
 * reads there, and a named group what is in it. Whether the server lets anything write is another question.
 */
export function allowsTool(held: readonly string[], server: ServerScopes, tool: ScopedTool): boolean {
  return held.some((scope) => scope === EVERYTHING || covers(scope, server, tool));
}

/** The one scope to ask for to call a tool: the first group it is in where it writes, else what reads or writes there. */
export function scopeFor({ slug, groups }: ServerScopes, { name, access }: ScopedTool): string {
  if (access === 'read') return `${slug}:read`;
  const group = Object.keys(groups)
    .sort()
    .find((key) => groups[key]?.includes(name) === true);
  return `${slug}:${group ?? 'write'}`;
}

function covers(scope: string, { slug, groups }: ServerScopes, { name, access }: ScopedTool): boolean {
  if (access === 'read' && (scope === READ_EVERYWHERE || scope === `${slug}:read`)) return true;
  if (!scope.startsWith(`${slug}:`)) return false;
  const part = scope.slice(slug.length + 1);
  return part === 'write' || (Object.hasOwn(groups, part) && groups[part]?.includes(name) === true);
}
