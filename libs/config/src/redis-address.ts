/** A host that Redis, or one of its sentinels, is asked at. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean;
}

/** Where Redis is, and in which of its three shapes. */
export type RedisAddress =
  | { readonly shape: 'single'; readonly url: string }
  | (RedisLogin & {
      readonly shape: 'sentinel';
      readonly sentinels: readonly RedisNode[];
      /** What the sentinels call the master that they watch. */
      readonly master: string;
      readonly db: number;
      /** How to log in at the sentinels themselves. */
      readonly sentinelUsername?: string;
      readonly sentinelPassword?: string;
    })
  | (RedisLogin & { readonly shape: 'cluster'; readonly nodes: readonly RedisNode[] });

/** Thrown for a URL that names no Redis; the message says what to write and repeats no password. */
export class RedisAddressError extends Error {
  override readonly name = 'RedisAddressError';
}

const FORMS =
  'write redis://host:port, redis+sentinel://host:port,host:port/master-name, or redis+cluster://host:port,host:port ' +
  '(rediss… for TLS)';
const URL_PARTS =
  /^redis(?<tls>s?)(?:\+(?<shape>sentinel|cluster))?:\/\/(?:(?<login>[^@/?#]*)@)?(?<hosts>[^@/?#]+)(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?$/;
const HOST = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[a-z0-9._-]+))(?::(?<port>\d{1,5}))?$/i;
const SENTINEL_PATH = /^\/(?<master>[\w.-]+)(?:\/(?<db>\d{1,5}))?\/?$/;
const SENTINEL_KEYS = ['sentinel-username', 'sentinel-password'];
const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;

/** Reads where Redis is. @throws RedisAddressError */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = URL_PARTS.exec(url)?.groups;
  if (parts === undefined) throw new RedisAddressError(`is not the URL of a Redis: ${FORMS}`);
  const { shape, hosts = '', path = '', query } = parts;
  if (shape === undefined) return single(url, hosts);
  const login = { ...loginOf(parts['login']), tls: parts['tls'] === 's' };
  if (shape === 'cluster') {
    if (path.length > 1 && path !== '/0') {
      throw new RedisAddressError('names a database, and a Redis Cluster has only one: leave the path out');
    }
    if (query !== undefined) throw new RedisAddressError('has a query, and a Redis Cluster takes none: leave it out');
    return { shape, nodes: nodesOf(hosts, REDIS_PORT), ...login };
  }
  const { master, db } = SENTINEL_PATH.exec(path)?.groups ?? {};
  if (master === undefined) {
    throw new RedisAddressError('does not name the master: write redis+sentinel://host:port,host:port/master-name');
  }
  const sentinels = nodesOf(hosts, SENTINEL_PORT);
  return { shape: 'sentinel', sentinels, master, db: Number(db ?? 0), ...login, ...sentinelLogin(query) };
}

function single(url: string, hosts: string): RedisAddress {
  if (hosts.includes(',') || !URL.canParse(url)) throw new RedisAddressError(`is not the URL of a Redis: ${FORMS}`);
  return { shape: 'single', url };
}

function nodesOf(hosts: string, defaultPort: number): RedisNode[] {
  return hosts.split(',').map((text) => {
    const found = HOST.exec(text.trim())?.groups;
    const host = found?.['v6'] ?? found?.['name'];
    const port = Number(found?.['port'] ?? defaultPort);
    if (host === undefined || port < 1 || port > 65_535) {
      throw new RedisAddressError(
        `has "${text.trim()}" among its hosts: write each as host or host:port, with commas between`,
      );
    }
    return { host, port };
  });
}

function loginOf(text: string | undefined): Pick<RedisLogin, 'username' | 'password'> {
  if (text === undefined || text === '') return {};
  const at = text.indexOf(':');
  const username = decoded(at === -1 ? text : text.slice(0, at));
  if (at === -1) return { username };
  const password = decoded(text.slice(at + 1));
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisAddressError('has a user or password with a "%" that encodes nothing: write "%" itself as %25');
  }
}

function sentinelLogin(query = ''): { readonly sentinelUsername?: string; readonly sentinelPassword?: string } {
  const asked = new URLSearchParams(query);
  const unknown = [...asked.keys()].find((key) => !SENTINEL_KEYS.includes(key));
  if (unknown !== undefined) {
    throw new RedisAddressError(`has "${unknown}" in its query, where only ${SENTINEL_KEYS.join(' and ')} are known`);
  }
  const [sentinelUsername, sentinelPassword] = SENTINEL_KEYS.map((key) => asked.get(key) ?? undefined);
  return {
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
  };
}
