import ipaddr from 'ipaddr.js';

type Range = ReturnType<typeof ipaddr.parseCIDR>;

/** A range of addresses in CIDR notation, or a single address; undefined for a text that is neither. */
export function readNetwork(text: string): Range | undefined {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.parse(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch {
    return undefined;
  }
}

/** Whether an address lies in a range; an IPv4 address that is written as an IPv6 one counts as itself. */
export function liesIn(address: string, [network, bits]: Range): boolean {
  if (!ipaddr.isValid(address)) return false;
  const own = ipaddr.process(address);
  return own.kind() === network.kind() && own.match(network, bits);
}
