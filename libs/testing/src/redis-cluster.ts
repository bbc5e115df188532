import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { selfSigned } from './certificate.js';
import { certificateIn, IN_CLUSTER, LOGIN, PASSWORD, RedisNode, shapeOf, type RedisShape } from './redis-shapes.js';
import { until } from './until.js';

const SLOTS = 16_384;
const MASTERS = 3;
const LINES = [
  `requirepass "${PASSWORD}"`,
  `masterauth "${PASSWORD}"`,
  IN_CLUSTER,
  'cluster-node-timeout 5000',
  // The slots of other masters go on while those of one have nobody.
  'cluster-require-full-coverage no',
];

/** A Redis Cluster of three masters. */
export async function startRedisCluster(): Promise<RedisShape> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-cluster-'));
  const nodes = await Promise.all(Array.from({ length: MASTERS }, () => RedisNode.start(folder, 'server', LINES)));
  await join(nodes);
  return shapeOf(urlOf('redis', nodes), nodes, nodes, folder);
}

/** A Redis Cluster of three masters that have a replica each, in that order, all reached by TLS. */
export async function startReplicatedCluster(): Promise<RedisShape & { readonly certificateFile: string }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-cluster-'));
  const certificate = selfSigned('127.0.0.1');
  const lines = [...LINES, 'tls-cluster yes'];
  const nodes = await Promise.all(
    Array.from({ length: MASTERS * 2 }, () => RedisNode.start(folder, 'server', lines, certificate)),
  );
  await join(nodes);
  for (const [at, { client }] of nodes.slice(MASTERS).entries()) {
    await client.call('CLUSTER', 'REPLICATE', String(await nodes[at]?.client.call('CLUSTER', 'MYID')));
    await until(
      async () => (await client.info('replication')).includes('master_link_status:up'),
      'a replica follows its master',
    );
  }
  const shape = shapeOf(urlOf('rediss', nodes), nodes, nodes, folder);
  return { ...shape, certificateFile: certificateIn(folder, certificate) };
}

/** The first three become masters, and all know each other. */
async function join(nodes: readonly RedisNode[]): Promise<void> {
  for (const [at, { client }] of nodes.slice(0, MASTERS).entries()) {
    const [first, last] = [at, at + 1].map((part) => Math.floor((part * SLOTS) / MASTERS));
    await client.call('CLUSTER', 'ADDSLOTSRANGE', String(first), String((last ?? SLOTS) - 1));
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1));
  }
  for (const { port, busPort } of nodes.slice(1))
    await nodes[0]?.client.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(busPort));
  const known = new RegExp(`cluster_state:ok[^]*cluster_known_nodes:${nodes.length}`);
  await until(async () => {
    const infos = await Promise.all(nodes.map(({ client }) => client.call('CLUSTER', 'INFO')));
    return infos.every((info) => known.test(String(info)));
  }, 'the masters have all slots, and all know each other');
}

function urlOf(scheme: 'redis' | 'rediss', nodes: readonly RedisNode[]): string {
  return `${scheme}+cluster://${LOGIN}@${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
}
