import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runJourney } from '#libs/journey';
import { startRedisWithTls, startWharf, type RedisShape, type Wharf } from '#libs/testing';

let redis: RedisShape & { readonly certificateFile: string };
let wharf: Wharf;
beforeAll(async () => {
  redis = await startRedisWithTls();
  wharf = await startWharf({ environment: { REDIS_URL: redis.url, NODE_EXTRA_CA_CERTS: redis.certificateFile } });
});
afterAll(async () => {
  await wharf?.stop();
  await redis?.stop();
});

test('everything the demo shows works with a Redis that wants a password and speaks TLS alone', async () => {
  const steps: string[] = [];
  await runJourney({ publicUrl: wharf.url, operatorKey: wharf.operatorKey, report: (step) => steps.push(step) });
  expect(steps.length).toBeGreaterThan(12);
  expect(redis.url).toMatch(/^rediss:\/\/:[^@]+@/);
  expect(await redis.nodes[0]?.client.dbsize()).toBeGreaterThan(0);
  expect(wharf.logs()).not.toMatch(/"level":"(error|fatal)"/);
});
