import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { connectWithApiKey, startUpstream, type Agent, type Upstream } from '#libs/journey';
import { startSentinels, startWharf, until, type RedisShape, type Wharf } from '#libs/testing';
import { openTestShop, type TestShop } from '../journeys/shop.js';
import { Traffic } from './traffic.fixture.js';

let redis: RedisShape;
let wharf: Wharf;
let upstream: Upstream;
let shop: TestShop;
let session: Agent;

beforeAll(async () => {
  redis = await startSentinels();
  [wharf, upstream] = await Promise.all([
    startWharf({ environment: { REDIS_URL: redis.url, WHARF_SIGNUPS_PER_HOUR: '10' } }),
    startUpstream(),
  ]);
  const owner = new Client({ connectionString: wharf.databaseUrl });
  await owner.connect();
  await owner.query(`update plans set calls_per_minute = 1000000, sessions_max = 10000, client_sessions_max = 10000`);
  await owner.end();
  shop = await openTestShop(wharf, upstream, 'failover');
  session = await connectWithApiKey({ url: shop.serverUrl, apiKey: shop.apiKey.text });
});
afterAll(async () => {
  await session?.close();
  await Promise.all([wharf?.stop(), upstream?.stop()]);
  await redis?.stop();
});

test('a master that is killed is replaced while calls, sessions and new sessions go on', async () => {
  const [master, replica] = redis.nodes;
  const counted = async (): Promise<boolean> =>
    /cmdstat_evalsha:calls=[1-9]/.test((await replica?.client.info('commandstats')) ?? '');
  expect(await counted()).toBe(false);
  const traffic = new Traffic(shop, session);
  await until(() => (traffic.ended.get('modern 200') ?? 0) > 50, 'calls are answered');
  const killedMs = performance.now();
  await master?.kill();
  await until(counted, 'limits are counted at the new master');
  const seconds = ((performance.now() - killedMs) / 1_000).toFixed(1);
  const before = traffic.ended.get('legacy 200') ?? 0;
  await until(() => (traffic.ended.get('legacy 200') ?? 0) > before + 50, 'the session goes on');
  await traffic.end();
  const select = { operationIds: ['getBook'] };
  const { release } = await shop.api.createRelease('books', { kind: 'openapi', document: upstream.openapi, select });
  await shop.api.publish('books', release.id, 'breaking is meant');
  process.stdout.write(`new master in use after ${seconds} s; calls by how they ended\n  ${traffic.counts}\n`);
  expect(traffic.failed).toEqual([]);
}, 120_000);
