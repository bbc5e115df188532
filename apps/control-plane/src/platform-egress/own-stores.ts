import { lookup } from 'node:dns/promises';
import { setTimeout as pause } from 'node:timers/promises';
import ipaddr from 'ipaddr.js';
import { parseRedisUrl } from '#libs/config';
import type { ControlPlaneConfig } from '../config.js';

const LOOKUP_MS = 2_000;

/** Where something answers. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** What is to be opened: a host, or every address of a range. */
interface Opened {
  readonly host: string | null;
  readonly range: string | null;
  readonly port: number;
}

/** Where this service reaches the databases and Redis. */
export type StoreUrls = Pick<ControlPlaneConfig, 'DATABASE_URL' | 'REDIS_URL' | 'WHARF_DEDICATED_DATABASES'>;

/** The addresses of a host. */
export type LookUp = (host: string) => Promise<readonly string[]>;

/** Looks up each host once. */
export function lookUpOnce(): LookUp {
  const found = new Map<string, Promise<readonly string[]>>();
  return (host) => {
    const addresses = found.get(host) ?? addressesOf(host);
    found.set(host, addresses);
    return addresses;
  };
}

/** Whether what is to be opened leads to a PostgreSQL or Redis of the platform, by its name or by an address that it has now. */
export async function leadsToStore(
  config: StoreUrls,
  { host, range, port }: Opened,
  lookUp: LookUp = addressesOf,
): Promise<boolean> {
  const stores = storesOf(config).filter((store) => store.port === port);
  if (stores.length === 0) return false;
  if (host !== null && stores.some((store) => store.host === host)) return true;
  const theirs = (await Promise.all(stores.map((store) => lookUp(store.host)))).flat();
  if (range !== null) return theirs.some((address) => isWithin(address, range));
  const named = host === null ? [] : await lookUp(host);
  return named.some((address) => theirs.includes(address));
}

/** The ports that stores of the platform answer at. */
export function storePorts(config: StoreUrls): number[] {
  return [...new Set(storesOf(config).map(({ port }) => port))];
}

function storesOf({
  DATABASE_URL: common,
  REDIS_URL: redis,
  WHARF_DEDICATED_DATABASES: dedicated,
}: StoreUrls): Place[] {
  const urls = [common, ...[...dedicated.values()].map((url) => url.reveal())];
  return [...urls.map((url) => placeOf(url, 5_432)), ...redisPlaces(redis)];
}

function redisPlaces(url: string): readonly Place[] {
  const address = parseRedisUrl(url);
  switch (address.shape) {
    case 'single':
      return [placeOf(address.url, 6_379)];
    case 'sentinel':
      return address.sentinels;
    case 'cluster':
      return address.nodes;
  }
}

function placeOf(text: string, usualPort: number): Place {
  const { hostname, port } = new URL(text);
  return { host: plain(hostname.toLowerCase()), port: port === '' ? usualPort : Number(port) };
}

/** The addresses of a host as they are now; none for a name that nobody answers for in time. */
async function addressesOf(host: string): Promise<string[]> {
  if (ipaddr.isValid(host)) return [ipaddr.parse(host).toString()];
  if (host === '') return [];
  const found = lookup(host, { all: true }).catch(() => []);
  const late = pause(LOOKUP_MS, [], { ref: false });
  return (await Promise.race([found, late])).map(({ address }: { address: string }) =>
    ipaddr.parse(address).toString(),
  );
}

function isWithin(text: string, range: string): boolean {
  const [network, bits] = ipaddr.parseCIDR(range);
  const address = ipaddr.parse(text);
  return address.kind() === network.kind() && address.match(network, bits);
}

/** A host without the brackets that a URL puts around an IPv6 address. */
function plain(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
