import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { freePort, provideRedisBinary } from '#libs/embedded';
import { endOf } from './end-of.js';
import { until } from './until.js';

const SLOTS = 16_384;
const PASSWORD = 'a password with : and / in it';
const LOGIN = `:${encodeURIComponent(PASSWORD)}`;
const MASTER = 'wharf-master';
const IN_CLUSTER = 'cluster-enabled yes';

/** One Redis process, or one sentinel. */
export class RedisNode {
  private constructor(
    readonly port: number,
    /** Where members of a Cluster talk to each other; Redis would take the port plus 10,000, which may be none or another's. */
    readonly busPort: number,
    private readonly child: ChildProcess,
    readonly client: Redis,
  ) {}

  /** Starts one with these lines in its configuration and waits until it answers. */
  static async start(folder: string, kind: 'server' | 'sentinel', lines: readonly string[]): Promise<RedisNode> {
    const { program, libraries } = await provideRedisBinary(path.resolve('.cache'));
    const [port, busPort] = [await freePort(), await freePort()];
    const own = path.join(folder, String(port));
    mkdirSync(own);
    const file = path.join(own, 'redis.conf');
    const bus = lines.includes(IN_CLUSTER) ? [`cluster-port ${busPort}`] : [];
    const all = ['bind 127.0.0.1', `port ${port}`, ...bus, `dir ${own}`, 'save ""', ...lines];
    writeFileSync(file, `${all.join('\n')}\n`);
    const child = spawn(program, kind === 'sentinel' ? [file, '--sentinel'] : [file], {
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: libraries.join(':') },
    });
    const login = kind === 'server' ? { password: PASSWORD } : {};
    const client = new Redis({ port, ...login, retryStrategy: () => 50, maxRetriesPerRequest: null });
    client.on('error', () => undefined);
    await client.ping();
    return new RedisNode(port, busPort, child, client);
  }

  kill(): Promise<void> {
    return endOf(this.child, 'SIGKILL');
  }

  async stop(): Promise<void> {
    this.client.disconnect();
    await this.kill();
  }
}

/** Redis in a shape of several processes. */
export interface RedisShape {
  readonly url: string;
  readonly nodes: readonly RedisNode[];
  stop(): Promise<void>;
}

function shapeOf(url: string, nodes: readonly RedisNode[], all: readonly RedisNode[], folder: string): RedisShape {
  const stop = async (): Promise<void> => {
    await Promise.all(all.map((node) => node.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, nodes, stop };
}

/** A Redis Cluster of three masters. */
export async function startRedisCluster(): Promise<RedisShape> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-cluster-'));
  const lines = [`requirepass "${PASSWORD}"`, IN_CLUSTER, 'cluster-node-timeout 5000'];
  const nodes = await Promise.all([1, 2, 3].map(() => RedisNode.start(folder, 'server', lines)));
  for (const [at, { client }] of nodes.entries()) {
    const [first, last] = [at, at + 1].map((part) => Math.floor((part * SLOTS) / nodes.length));
    await client.call('CLUSTER', 'ADDSLOTSRANGE', String(first), String((last ?? SLOTS) - 1));
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1));
  }
  for (const { port, busPort } of nodes.slice(1))
    await nodes[0]?.client.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort));
  const joined = async (): Promise<boolean> => {
    const infos = await Promise.all(nodes.map(({ client }) => client.call('CLUSTER', 'INFO')));
    return infos.every((info) => /cluster_state:ok[^]*cluster_known_nodes:3/.test(String(info)));
  };
  await until(joined, 'three masters know each other and all slots');
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
  return shapeOf(`redis+cluster://${LOGIN}@${hosts}`, nodes, nodes, folder);
}

/** A master, its replica, and three sentinels that replace the master a second after it is gone. */
export async function startSentinels(): Promise<RedisShape> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-sentinel-'));
  const login = [`requirepass "${PASSWORD}"`, `masterauth "${PASSWORD}"`];
  const master = await RedisNode.start(folder, 'server', login);
  const replica = await RedisNode.start(folder, 'server', [...login, `replicaof 127.0.0.1 ${master.port}`]);
  const linked = async () => (await replica.client.info('replication')).includes('master_link_status:up');
  await until(linked, 'the replica follows its master');
  const watched = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} 2`,
    `sentinel auth-pass ${MASTER} "${PASSWORD}"`,
    `sentinel down-after-milliseconds ${MASTER} 1000`,
    `sentinel failover-timeout ${MASTER} 10000`,
  ];
  const sentinels = await Promise.all([1, 2, 3].map(() => RedisNode.start(folder, 'sentinel', watched)));
  const met = async (): Promise<boolean> => {
    const known = await Promise.all(sentinels.map(({ client }) => client.call('SENTINEL', 'MASTER', MASTER)));
    return known.every((facts) => {
      const text = JSON.stringify(facts);
      return text.includes('"num-slaves","1"') && text.includes('"num-other-sentinels","2"');
    });
  };
  await until(met, 'the sentinels know the replica and each other');
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const url = `redis+sentinel://${LOGIN}@${hosts}/${MASTER}/0`;
  return shapeOf(url, [master, replica], [master, replica, ...sentinels], folder);
}
