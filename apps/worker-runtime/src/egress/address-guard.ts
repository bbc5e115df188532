import ipaddr from 'ipaddr.js';
import { isCloudAddress, isPublicAddress } from '#libs/addresses';

/** A host and port that an operator allows a tenant although they are private. */
export interface Allowance {
  readonly host: string;
  readonly port: number;
}

/** What an allowance by name may lead to; link-local is not among them, because clouds keep their keys there. */
const ALLOWED_BY_NAME = new Set(['unicast', 'private', 'uniqueLocal', 'loopback', 'carrierGradeNat']);

/** The addresses, when this host and port may be reached at every one of them. */
export function areReachable(
  host: string,
  port: number,
  addresses: readonly string[],
  allowances: readonly Allowance[],
): boolean {
  const allowed = allowances.some((allowance) => allowance.port === port && normalHost(allowance.host) === host);
  if (addresses.length === 0) return false;
  if (!allowed) return addresses.every((address) => isPublicAddress(address));
  return ipaddr.isValid(host) || addresses.every(isAllowedByName);
}

function isAllowedByName(address: string): boolean {
  return ipaddr.isValid(address) && ALLOWED_BY_NAME.has(ipaddr.parse(address).range()) && !isCloudAddress(address);
}

/** A host as a URL's `hostname` names it, without the brackets of IPv6; lower case. */
export function normalHost(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
}
