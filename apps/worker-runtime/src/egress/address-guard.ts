import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

/** A host and port that an operator allows a tenant although they are private. */
export interface Allowance {
  readonly host: string;
  readonly port: number;
}

/** What an allowance by name may lead to; link-local is not among them, because clouds keep their keys there. */
const ALLOWED_BY_NAME = new Set(['unicast', 'private', 'uniqueLocal', 'loopback', 'carrierGradeNat']);
const GLOBAL_IPV6 = ipaddr.IPv6.parse('2000::');

/**
 * Whether an address is on the public internet: global unicast and not one of this machine's own. Everything special
 * is refused, and so are the IPv6 forms that carry an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo): a name
 * that resolves to one of those has a plain form too (IANA special-purpose address registries, RFC 6890).
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  if (address instanceof ipaddr.IPv6 && !address.match(GLOBAL_IPV6, 3)) return false;
  return !isOwnAddress(address.toString());
}

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
  return (
    ipaddr.isValid(host) ||
    addresses.every((address) => ipaddr.isValid(address) && ALLOWED_BY_NAME.has(ipaddr.parse(address).range()))
  );
}

/** A host as a URL's `hostname` names it, without the brackets of IPv6; lower case. */
export function normalHost(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
}

function isOwnAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((entries) =>
    (entries ?? []).some(
      (entry) => ipaddr.isValid(entry.address) && ipaddr.parse(entry.address).toString() === address,
    ),
  );
}
