import type { ResourceAccess } from '../../access/resource-access.js';

/**
 * The parameters with every `resource` (RFC 8707) of ours spelled canonically, and with the least scope of the
 * resource where an authorization request names none. Anything else stays as it came, for the provider to judge.
 */
export async function withCanonicalResource(
  access: ResourceAccess,
  given: URLSearchParams,
  request: 'authorization' | 'token',
): Promise<URLSearchParams> {
  const params = new URLSearchParams();
  for (const [name, value] of given) {
    params.append(name, name === 'resource' ? (access.canonical(value) ?? value) : value);
  }
  if (request === 'authorization' && (params.get('scope') ?? '').trim() === '') {
    const scope = await access.basicScopeOf(params.get('resource') ?? '');
    if (scope !== undefined) params.set('scope', scope);
  }
  return params;
}
