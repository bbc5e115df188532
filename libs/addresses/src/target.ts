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
 * Judges a URL that a tenant named before it is dialled: https on a public address, or what an operator opened for this
 * tenant. A name's addresses are judged by the lookup at dial time; an address that stands in the URL is judged here,
 * because nobody looks it up.
 */
export function judgeTarget(url: URL, opened: readonly OpenedHost[]): Target {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const isOpened = opened.some((allowed) => allowed.host === host && allowed.port === port);
  if (url.username !== '' || url.password !== '') return { problem: 'A URL holds no user name and no password.' };
  if (url.protocol !== 'https:' && !(isOpened && url.protocol === 'http:')) return { problem: 'Use an https URL.' };
  const accepts = isOpened ? isOpenableAddress : isPublicAddress;
  if (isIP(host) !== 0 && !accepts(host)) return { problem: `${host} is not a public address.` };
  return { reach: isOpened ? 'opened' : 'public' };
}
