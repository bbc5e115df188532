import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';

const GLOBAL_IPV6 = ipaddr.IPv6.parse('2000::');

/**
 * Addresses that look public and answer inside a cloud only, with its keys and settings: Azure's platform host
 * (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
 */
const CLOUD_ADDRESSES = new Set(['168.63.129.16']);

/** What an allowance may lead to; link-local is not among them, because clouds keep their keys there. */
const OPENABLE = new Set(['unicast', 'private', 'uniqueLocal', 'loopback', 'carrierGradeNat']);

/**
 * Whether an address is on the public internet: global unicast (of IPv6 only 2000::/3, RFC 4291 §2.4), not a cloud's
 * and not one of this machine's own. Everything special is refused, and so are the IPv6 forms that carry an IPv4
 * address (mapped, compatible, NAT64, 6to4, Teredo): a name that resolves to one of those has a plain form too (IANA
 * special-purpose address registries, RFC 6890).
 */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== 'unicast') return false;
  if (address instanceof ipaddr.IPv6 && !address.match(GLOBAL_IPV6, 3)) return false;
  return !isCloudAddress(text) && !isOwnAddress(text);
}

/** Whether an operator's allowance may lead to an address. */
export function isOpenableAddress(text: string): boolean {
  return ipaddr.isValid(text) && OPENABLE.has(ipaddr.parse(text).range()) && !isCloudAddress(text);
}

/** Whether an address is a cloud's own although it lies among the public ones. */
function isCloudAddress(text: string): boolean {
  return ipaddr.isValid(text) && CLOUD_ADDRESSES.has(ipaddr.parse(text).toString());
}

/** Whether an address is one of this machine's own. */
export function isOwnAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text).toString();
  return Object.values(networkInterfaces()).some((entries) =>
    (entries ?? []).some(
      (entry) => ipaddr.isValid(entry.address) && ipaddr.parse(entry.address).toString() === address,
    ),
  );
}
