import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { parseRedisUrl, type RedisAddress } from '#libs/config';
import { LastingSentinelConnector } from './lasting-sentinel-connector.js';

/** A Redis of any shape: one server, the master that sentinels name, or a Redis Cluster. */
export type RedisStore = Redis | Cluster;

/** How patient commands are, and who hears that Redis is away. */
export interface RedisOpening {
  /** A command that is not answered by then fails. */
  readonly commandMs: number;
  /** Hears of every lost connection; they come back by themselves. */
  readonly onError: (error: Error) => void;
}

const CONNECT_MS = 2_000;
const RETRY_MS_MAX = 2_000;
/** How much later than a command's own time nothing more is expected on its connection: its far end is gone without a word. */
const SILENCE_MS = 1_500;
/** The same for queues, whose commands wait for a job for up to ten seconds. */
const QUEUE_SILENCE_MS = 30_000;
/** In a Cluster: how often a command follows a slot that has moved, or waits for one whose node is gone. */
const REDIRECTIONS_MAX = 4;
const FAILOVER_RETRY_MS = 100;

interface CommandOptions {
  readonly connectTimeout: number;
  readonly commandTimeout?: number;
  readonly socketTimeout: number;
  readonly maxRetriesPerRequest: number | null;
}

const dnsLookup = (name: string, found: (error: null, address: string) => void): void => found(null, name);
const retryMs = (attempt: number): number => Math.min(attempt * 100, RETRY_MS_MAX);

/**
 * Starts connecting to Redis. What it holds may be lost, so commands fail fast while it is away instead of waiting in a
 * queue, and connections come back by themselves: to the new master after a failover, to new nodes of a Cluster.
 */
export function openRedis(url: string, { commandMs, onError }: RedisOpening): RedisStore {
  const address = parseRedisUrl(url);
  const options = {
    connectTimeout: CONNECT_MS,
    commandTimeout: commandMs,
    socketTimeout: commandMs + SILENCE_MS,
    maxRetriesPerRequest: 0,
  };
  const redis = connect(address, options);
  // Without a listener a lost connection would end the process.
  redis.on('error', onError);
  return redis;
}

function connect(address: RedisAddress, options: CommandOptions): RedisStore {
  if (address.shape === 'cluster') return new Cluster([...address.nodes], clusterOptions(address, options, false));
  const swift = { ...options, retryStrategy: retryMs, enableOfflineQueue: false };
  if (address.shape === 'single') return new Redis(address.url, swift);
  return new Redis({ ...sentinelOptions(address), ...swift });
}

/** Resolves when Redis can be used, or cannot at the first try; it is tried again by itself. */
export function untilOpened(redis: RedisStore): Promise<void> {
  return new Promise((resolve) => {
    if (redis.status === 'ready') return resolve();
    const timer = setTimeout(done, CONNECT_MS);
    const events = ['ready', 'close', 'error'] as const;
    function done(): void {
      clearTimeout(timer);
      for (const event of events) redis.off(event, done);
      resolve();
    }
    for (const event of events) redis.on(event, done);
  });
}

/** A connection for subscriptions, to where another one leads: what is asked of it while Redis is away is asked again. */
export function openSubscriber(redis: RedisStore): RedisStore {
  const subscriber = isCluster(redis)
    ? redis.duplicate([], { enableOfflineQueue: true })
    : redis.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null, lazyConnect: false });
  subscriber.on('error', () => undefined); // the connection it was made from tells of the same
  return subscriber;
}

/** How the keys of a region's queues begin: its jobs are run by its own services, also where regions share a Redis. */
export function queuePrefix(region: string | undefined): string {
  return region === undefined ? 'wharf' : `wharf:${region}`;
}

/** How queues connect, and how all their keys begin: in a Cluster they lie together, as jobs move between them. */
export interface QueueConnection {
  readonly connection: { url: string } | ReturnType<typeof sentinelOptions> | Cluster;
  readonly prefix: string;
  close(): void;
}

/** Opens Redis for queues. Their commands wait while Redis is away. */
export function openForQueues(url: string, prefix: string, onError: (error: Error) => void): QueueConnection {
  const address = parseRedisUrl(url);
  const options = { connectTimeout: CONNECT_MS, socketTimeout: QUEUE_SILENCE_MS, maxRetriesPerRequest: null };
  if (address.shape !== 'cluster') {
    // Of itself a queue waits up to 20 s between its tries to connect: as long as a failover takes, twice.
    const swift = { ...options, retryStrategy: retryMs };
    const connection =
      address.shape === 'single' ? { url: address.url, ...swift } : { ...sentinelOptions(address), ...swift };
    return { connection, prefix, close: () => undefined };
  }
  const connection = new Cluster([...address.nodes], clusterOptions(address, options, true));
  connection.on('error', onError);
  return { connection, prefix: `{${prefix}}`, close: () => connection.disconnect() };
}

/** Whether keys are spread over nodes, so that those of one command must lie in one slot. */
export function isCluster(redis: RedisStore): redis is Cluster {
  return redis.isCluster;
}

/** Every node that holds keys; the one Redis where it is not a Cluster. */
export function mastersOf(redis: RedisStore): readonly Redis[] {
  return isCluster(redis) ? redis.nodes('master') : [redis];
}

/** Publishes, and answers how many have subscribed, at whichever node. */
export async function publish(redis: RedisStore, channel: string, message: string): Promise<number> {
  const here = await redis.publish(channel, message);
  if (!isCluster(redis)) return here;
  // A node of a Cluster counts its own subscribers only.
  const counts = await Promise.all(redis.nodes('all').map((node) => node.pubsub('NUMSUB', channel)));
  return counts.reduce<number>((sum, [, count]) => sum + Number(count ?? 0), 0);
}

function clusterOptions(
  address: Extract<RedisAddress, { shape: 'cluster' }>,
  redisOptions: CommandOptions,
  enableOfflineQueue: boolean,
) {
  return {
    redisOptions: { ...redisOptions, ...loginOptions(address) },
    enableOfflineQueue,
    maxRedirections: REDIRECTIONS_MAX,
    retryDelayOnFailover: FAILOVER_RETRY_MS,
    retryDelayOnClusterDown: FAILOVER_RETRY_MS,
    clusterRetryStrategy: retryMs,
    // A certificate is of the name that a node is known by.
    ...(address.tls ? { dnsLookup } : {}),
  };
}

function sentinelOptions(address: Extract<RedisAddress, { shape: 'sentinel' }>) {
  const { sentinels, master, db, sentinelUsername, sentinelPassword, tls } = address;
  return {
    sentinels: [...sentinels],
    name: master,
    db,
    ...loginOptions(address),
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls ? { enableTLSForSentinelMode: true } : {}),
    // Leaves a master that was replaced, also one that hangs and one that has become a replica.
    failoverDetector: true,
    Connector: LastingSentinelConnector as unknown as NonNullable<RedisOptions['Connector']>, // given these very options
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    retryStrategy: retryMs,
    sentinelRetryStrategy: retryMs,
  };
}

function loginOptions(address: { readonly username?: string; readonly password?: string; readonly tls: boolean }) {
  const { username, password, tls } = address;
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
}
