import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startReplicatedCluster, until, type RedisShape } from '#libs/testing';
import { Failover } from './failover.fixture.js';

let redis: RedisShape & { readonly certificateFile: string };
let failover: Failover;

beforeAll(async () => {
  redis = await startReplicatedCluster();
  failover = await Failover.open(redis, { NODE_EXTRA_CA_CERTS: redis.certificateFile });
});
afterAll(async () => {
  await failover?.stop();
  await redis?.stop();
});

test('a shard of a Cluster whose master is killed is taken over by its replica while calls and sessions go on', async () => {
  const masters = redis.nodes.slice(0, 3);
  const traffic = await failover.traffic();
  // The shard of this tenant is the one that has counted its calls.
  const counted = await Promise.all(masters.map(async ({ client }) => evaluations(await client.info('commandstats'))));
  const busiest = counted.indexOf(Math.max(...counted));
  const replica = redis.nodes[3 + busiest];
  const killedMs = performance.now();
  await masters[busiest]?.kill();
  await until(
    async () => evaluations((await replica?.client.info('commandstats')) ?? '') > 0,
    'limits are counted at the replica',
  );
  const seconds = ((performance.now() - killedMs) / 1_000).toFixed(1);
  const failed = await failover.endOf(traffic);
  process.stdout.write(`shard taken over after ${seconds} s; calls by how they ended\n  ${traffic.counts}\n`);
  expect(failed).toEqual([]);
}, 180_000);

/** How many scripts a node has run. */
function evaluations(stats: string): number {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}
