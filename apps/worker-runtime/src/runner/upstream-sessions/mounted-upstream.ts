import type { Result } from '@modelcontextprotocol/client';
import type { Offers, RemoteUpstream } from '#libs/protocol';
import type { RemoteFailure } from '../upstream/remote-failure.js';

/** An upstream MCP server as a route serves it. */
export interface MountedUpstream {
  readonly kind: 'upstream';
  /** Digest of the release's manifest. */
  readonly digest: string;
  readonly serverSlug: string;
  readonly upstream: RemoteUpstream;
  /** Before the names of its prompts: the mount's prefix and its own. */
  readonly prefix: string;
  readonly offers: Offers;
}

/** An upstream whose tools are not there now, as `_meta` tells of it. */
export interface UnavailableUpstream {
  readonly server: string;
  readonly upstream: string;
  readonly reason: string;
}

/** Where a list says what is missing in it (MCP 2026-07-28, basic, "`_meta`": prefix and name). */
export const UNAVAILABLE_META = 'wharf/unavailable';

/** A page of nothing in place of one that an upstream could not give, and what is missing. */
export function missingPage({ serverSlug, upstream }: MountedUpstream, { reason }: RemoteFailure): Result {
  const missing: UnavailableUpstream = { server: serverSlug, upstream: upstream.name, reason };
  return { _meta: { [UNAVAILABLE_META]: [missing] } };
}
