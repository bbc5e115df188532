import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { freePort, provideRedisBinary } from '#libs/embedded';
import { selfSigned, type TestCertificate } from './certificate.js';
import { endOf } from './end-of.js';
import { until } from './until.js';

/** What every server wants, with characters that URLs must encode. */
export const PASSWORD = 'a password with : and / in it';
/** The same in a URL. */
export const LOGIN = `:${encodeURIComponent(PASSWORD)}`;
const MASTER = 'wharf-master';
/** What a member of a Cluster has in its configuration. */
export const IN_CLUSTER = 'cluster-enabled yes';

/** One Redis process, or one sentinel. */
export class RedisNode {
  private constructor(
    readonly port: number,
    /** Where members of a Cluster talk to each other; Redis would take the port plus 10,000, which may be none or another's. */
    readonly busPort: number,
    private readonly child: ChildProcess,
    readonly client: Redis,
  ) {}

  /** Starts one with these lines in its configuration and waits until it answers; with a certificate, by TLS alone. */
  static async start(
    folder: string,
    kind: 'server' | 'sentinel',
    lines: readonly string[],
    tls?: TestCertificate,
  ): Promise<RedisNode> {
    const { program, libraries } = await provideRedisBinary(path.resolve('.cache'));
    const [port, busPort] = [await freePort(), await freePort()];
    const own = path.join(folder, String(port));
    mkdirSync(own);
    const file = path.join(own, 'redis.conf');
    const bus = lines.includes(IN_CLUSTER) ? [`cluster-port ${busPort}`] : [];
    const ports = tls === undefined ? [`port ${port}`] : ['port 0', `tls-port ${port}`, ...tlsLines(own, tls)];
    const all = ['bind 127.0.0.1', ...ports, ...bus, `dir ${own}`, 'save ""', ...lines];
    writeFileSync(file, `${all.join('\n')}\n`);
    const child = spawn(program, kind === 'sentinel' ? [file, '--sentinel'] : [file], {
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin', LD_LIBRARY_PATH: libraries.join(':') },
    });
    const login = {
      ...(kind === 'server' ? { password: PASSWORD } : {}),
      ...(tls === undefined ? {} : { tls: { ca: tls.cert } }),
    };
    const client = new Redis({
      host: '127.0.0.1',
      port,
      ...login,
      retryStrategy: () => 50,
      maxRetriesPerRequest: null,
    });
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

/** Writes a certificate down for programs that are told of a file. */
export function certificateIn(folder: string, { cert }: TestCertificate): string {
  const file = path.join(folder, 'certificate.pem');
  writeFileSync(file, cert);
  return file;
}

function tlsLines(folder: string, certificate: TestCertificate): string[] {
  const file = certificateIn(folder, certificate);
  const key = path.join(folder, 'key.pem');
  writeFileSync(key, certificate.key, { mode: 0o600 });
  return [
    `tls-cert-file ${file}`,
    `tls-key-file ${key}`,
    `tls-ca-cert-file ${file}`,
    'tls-auth-clients no',
    'tls-replication yes',
  ];
}

/** What tests are given of some nodes. */
export function shapeOf(
  url: string,
  nodes: readonly RedisNode[],
  all: readonly RedisNode[],
  folder: string,
): RedisShape {
  const stop = async (): Promise<void> => {
    await Promise.all(all.map((node) => node.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, nodes, stop };
}

/** One Redis that is reached with a password and by TLS alone. `certificateFile`: what is to be trusted. */
export async function startRedisWithTls(): Promise<RedisShape & { readonly certificateFile: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-redis-tls-'));
  const certificate = selfSigned('127.0.0.1');
  const node = await RedisNode.start(folder, 'server', [`requirepass "${PASSWORD}"`], certificate);
  const shape = shapeOf(`rediss://${LOGIN}@127.0.0.1:${node.port}/0`, [node], [node], folder);
  return { ...shape, certificateFile: certificateIn(folder, certificate) };
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
