import type { ResourceAccess } from '../../access/resource-access.js';
import { resourcesOf, type TokenSource } from './token-source.js';

/**
 * What is wrong with the resources that a token request names (RFC 8707 §2.2). A code is redeemed for exactly the URL it
 * was asked for, by name; a refresh token has been for one URL since, and may leave it out, as some agents do.
 */
export async function resourceProblem(
  access: Pick<ResourceAccess, 'findTarget'>,
  named: readonly string[],
  source: TokenSource | undefined,
): Promise<string | undefined> {
  const [resource] = named;
  if (named.length > 1) return 'Ask for one resource at a time.';
  if (resource === undefined) {
    if (source === undefined || source.kind === 'RefreshToken') return undefined;
    return 'The resource is missing. Send the one that the authorization was asked for with (RFC 8707).';
  }
  const target = await access.findTarget(resource);
  if (target === undefined) return 'The resource is not a tenant URL of this platform.';
  if (target.suspended !== undefined) return target.suspended;
  if (source !== undefined && !resourcesOf(source).includes(resource)) {
    return 'The authorization was given for another resource.';
  }
  return undefined;
}
