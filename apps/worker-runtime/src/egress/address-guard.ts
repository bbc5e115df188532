import ipaddr from 'ipaddr.js';
import { isOpenableAddress, isOwnAddress, isPublicAddress } from '#libs/addresses';

/** A host and port that an operator allows a tenant although they are private. */
export interface Allowance {
  readonly host: string;
  readonly port: number;
}

/** A private range (CIDR) that an operator allows a tenant, for one port. */
export interface AllowedRange {
  readonly range: string;
  readonly port: number;
}

/** What of the private world an operator opened for a tenant. */
export interface PrivateAccess {
  readonly allowances: readonly Allowance[];
  /** All hosts that may be reached, public ones too; any without it. */
  readonly onlyHosts?: readonly string[];
  readonly ranges?: readonly AllowedRange[];
}

/** Whether this host and port may be reached at every one of these addresses. */
export function areReachable(
  host: string,
  port: number,
  addresses: readonly string[],
  { allowances, ranges = [] }: PrivateAccess,
): boolean {
  if (addresses.length === 0) return false;
  const named = allowances.some((allowance) => allowance.port === port && normalHost(allowance.host) === host);
  if (named) return ipaddr.isValid(host) || addresses.every(isOpenableAddress);
  const open = ranges.filter((range) => range.port === port);
  return addresses.every((address) => isPublicAddress(address) || open.some(({ range }) => isWithin(address, range)));
}

/** A host as a URL's `hostname` names it, without the brackets of IPv6; lower case. */
export function normalHost(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
}

/**
 * Whether an address lies in an allowed range. Somebody who opens a network does not mean the machine that Wharf itself
 * runs on, so its own addresses need an allowance of their own; who opens a part of loopback means nothing else.
 */
function isWithin(address: string, range: string): boolean {
  if (!isOpenableAddress(address) || !ipaddr.isValidCIDR(range)) return false;
  const parsed = ipaddr.parse(address);
  const [network, bits] = ipaddr.parseCIDR(range);
  if (parsed.kind() !== network.kind() || !parsed.match(network, bits)) return false;
  return parsed.range() === 'loopback' || !isOwnAddress(address);
}
