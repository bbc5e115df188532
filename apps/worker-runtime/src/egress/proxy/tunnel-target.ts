import { normalHost } from '../address-guard.js';
import { UpstreamFailure } from '../upstream-failure.js';

/** Where a CONNECT leads, and the origins that allow it: what goes through a tunnel cannot be told from here. */
export interface TunnelTarget {
  readonly host: string;
  readonly port: number;
  readonly origins: readonly string[];
}

const AUTHORITY = /^(?:\[[0-9a-f:.]{2,45}\]|[^[\]:/?#@\\\s]{1,253}):(\d{1,5})$/i;

/** Reads the authority of a CONNECT (RFC 9112, 3.2.3), its host in the one form that all URLs give it. @throws UpstreamFailure blocked */
export function tunnelTarget(authority: string): TunnelTarget {
  const port = Number(AUTHORITY.exec(authority)?.[1] ?? 0);
  const secure = port < 1 || port > 65_535 ? null : URL.parse(`https://${authority}/`);
  const plain = secure === null ? null : URL.parse(`http://${authority}/`);
  if (secure === null || plain === null)
    throw new UpstreamFailure('blocked', 'a tunnel leads to a host and a port: CONNECT api.example.com:443');
  return { host: normalHost(secure.hostname), port, origins: [secure.origin, plain.origin] };
}
