import type { Principal } from '#libs/identity';
import type { RequestFacts } from '#libs/policies';
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
