import type { ResourceAccess } from '../access/resource-access.js';

/**
 * The parameters with every `resource` (RFC 8707) of ours spelled canonically, and with the scope of the resource
 * where a request that settles the scope names none. Anything else stays as it came, for the provider to judge.
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
  const scope = access.scopeOf(params.get('resource') ?? '');
  // With a code or a refresh token the scope was settled before.
  const settles = request === 'authorization' || params.get('grant_type') === 'client_credentials';
  if (settles && scope !== undefined && (params.get('scope') ?? '').trim() === '') {
    params.set('scope', scope);
  }
  return params;
}
