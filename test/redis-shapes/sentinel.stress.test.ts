import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startSentinels, until, type RedisShape } from '#libs/testing';
import { Failover } from './failover.fixture.js';

let redis: RedisShape;
let failover: Failover;

beforeAll(async () => {
  redis = await startSentinels();
  failover = await Failover.open(redis);
});
afterAll(async () => {
  await failover?.stop();
  await redis?.stop();
});

test('a master that is killed is replaced while calls, sessions and new sessions go on', async () => {
  const [master, replica] = redis.nodes;
  const counted = async (): Promise<boolean> =>
    /cmdstat_evalsha:calls=[1-9]/.test((await replica?.client.info('commandstats')) ?? '');
  expect(await counted()).toBe(false);
  const traffic = await failover.traffic();
  const killedMs = performance.now();
  await master?.kill();
  await until(counted, 'limits are counted at the new master');
  const seconds = ((performance.now() - killedMs) / 1_000).toFixed(1);
  const failed = await failover.endOf(traffic);
  process.stdout.write(`new master in use after ${seconds} s; calls by how they ended\n  ${traffic.counts}\n`);
  expect(failed).toEqual([]);
}, 120_000);
