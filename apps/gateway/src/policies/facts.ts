import type { Principal } from '#libs/identity';
import type { RequestFacts, ToolFacts } from '#libs/policies';
import type { MountedTool } from '../routing/route-tools.js';
import type { Membership } from './memberships.js';

const NOBODY: Membership = { role: '', groups: [] };

/** Who calls, as rules see them. */
export function principalFacts(
  principal: Principal,
  { role, groups }: Membership = NOBODY,
): Pick<RequestFacts, 'principal' | 'client'> {
  const { kind, scopes } = principal;
  switch (principal.kind) {
    case 'person':
      return {
        principal: { kind, id: principal.subject, role, groups, scopes },
        client: { id: principal.clientId },
      };
    case 'client':
      return {
        principal: { kind, id: principal.clientId, role: '', groups: [], scopes },
        client: { id: principal.clientId },
      };
    case 'api-key':
      return {
        principal: { kind, id: principal.keyId, role: '', groups: [], scopes },
        client: { id: `api-key:${principal.keyId}` },
      };
  }
}

/** The tool that is called, as rules see it. */
export function toolFacts(tool: MountedTool): ToolFacts {
  const { method: _, ...annotations } = tool.hints ?? {};
  return {
    name: tool.name,
    server: tool.serverSlug,
    access: tool.access,
    destructive: isDestructive(tool),
    annotations,
  };
}

/**
 * A tool destroys when its release says so, or else when it is sent as DELETE. Of a release from before this was kept,
 * every tool that writes may.
 */
export function isDestructive({ hints, access }: Pick<MountedTool, 'hints' | 'access'>): boolean {
  if (hints === undefined) return access === 'write';
  const { destructiveHint: said, method } = hints;
  return typeof said === 'boolean' ? said : method === 'DELETE';
}
