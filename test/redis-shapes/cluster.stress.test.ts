import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runJourney } from '#libs/journey';
import { startRedisCluster, startWharf, type RedisShape, type Wharf } from '#libs/testing';

let redis: RedisShape;
let wharf: Wharf;
beforeAll(async () => {
  redis = await startRedisCluster();
  wharf = await startWharf({ environment: { REDIS_URL: redis.url } });
});
afterAll(async () => {
  await wharf?.stop();
  await redis?.stop();
});

test('a tenant, its agents and an operator get everything the demo shows', async () => {
  const steps: string[] = [];
  await runJourney({ publicUrl: wharf.url, operatorKey: wharf.operatorKey, report: (step) => steps.push(step) });
  expect(steps.length).toBeGreaterThan(12);
  expect(wharf.logs()).not.toMatch(/"level":"(error|fatal)"|CROSSSLOT|MOVED/);
  const keys = (await Promise.all(redis.nodes.map(({ client }) => client.keys('*')))).map((found) => found.length);
  process.stdout.write(`keys on the three masters: ${keys.join(', ')}\n`);
  expect(Math.min(...keys)).toBeGreaterThan(0);
});
