import type { ResourceAccess } from '../../access/resource-access.js';

/**
 * The parameters with every `resource` (RFC 8707) of ours spelled canonically, and with the least scope of the
 * resource where an authorization request names none. Anything else stays as it came, for the provider to judge.
 */
export function withCanonicalResource(
  access: ResourceAccess,
  given: URLSearchParams,
  request: 'authorization' | 'token',
): URLSearchParams {
  const params = new URLSearchParams();
  for (const [name, value] of given) {
    params.append(name, name === 'resource' ? (access.canonical(value) ?? value) : value);
  }
  const scope = access.basicScopeOf(params.get('resource') ?? '');
  if (request === 'authorization' && scope !== undefined && (params.get('scope') ?? '').trim() === '') {
    params.set('scope', scope);
  }
  return params;
}
