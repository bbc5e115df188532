import { isIP } from 'node:net';
import { isOpenableAddress, isPublicAddress } from './public-address.js';

/** A private host and port that an operator opened for a tenant. */
export interface OpenedHost {
  readonly host: string;
  readonly port: number;
}

/** Where a URL that a tenant named leads: which lookup guards it, or why it is refused. */
export type Target =
  | { readonly reach: 'public' | 'opened'; readonly problem?: never }
  | { readonly reach?: never; readonly problem: string };

/**
 * Names that the public DNS does not have: this machine's (RFC 6761), those of a local network (RFC 6762, RFC 8375, and
 * `internal`, which ICANN keeps for them), and any without a dot.
 */
const LOCAL_NAME = /^(?:[^.]+|(?:.+\.)?(?:localhost|localdomain|local|internal|home\.arpa))\.?$/;

/**
 * Judges a URL that a tenant named before it is dialled: https on a public address, or what an operator opened for this
 * tenant. A name's addresses are judged by the lookup at dial time; a name that has none there, and an address that stands in
 * the URL, are judged here: nothing could come of the one, and nobody looks up the other.
 */
export function judgeTarget(url: URL, opened: readonly OpenedHost[]): Target {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const isOpened = opened.some((allowed) => allowed.host === host && allowed.port === port);
  if (url.username !== '' || url.password !== '') return { problem: 'A URL holds no user name and no password.' };
  if (url.protocol !== 'https:' && !(isOpened && url.protocol === 'http:')) return { problem: 'Use an https URL.' };
  if (isIP(host) === 0 && !isOpened && LOCAL_NAME.test(host))
    return { problem: `${host} is not a name on the public internet.` };
  const accepts = isOpened ? isOpenableAddress : isPublicAddress;
  if (isIP(host) !== 0 && !accepts(host)) return { problem: `${host} is not a public address.` };
  return { reach: isOpened ? 'opened' : 'public' };
}
