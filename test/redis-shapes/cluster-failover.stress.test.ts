import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { connectWithApiKey, startUpstream, type Agent, type Upstream } from '#libs/journey';
import { startReplicatedCluster, startWharf, until, type RedisShape, type Wharf } from '#libs/testing';
import { openTestShop, type TestShop } from '../journeys/shop.js';
import { Traffic } from './traffic.fixture.js';

let redis: RedisShape & { readonly certificateFile: string };
let wharf: Wharf;
let upstream: Upstream;
let shop: TestShop;
let session: Agent;

beforeAll(async () => {
  redis = await startReplicatedCluster();
  const environment = {
    REDIS_URL: redis.url,
    NODE_EXTRA_CA_CERTS: redis.certificateFile,
    WHARF_SIGNUPS_PER_HOUR: '10',
  };
  [wharf, upstream] = await Promise.all([startWharf({ environment }), startUpstream()]);
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

test('a shard of a Cluster whose master is killed is taken over by its replica while calls and sessions go on', async () => {
  const masters = redis.nodes.slice(0, 3);
  const traffic = new Traffic(shop, session);
  await until(() => (traffic.ended.get('modern 200') ?? 0) > 50, 'calls are answered');
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
  const before = traffic.ended.get('legacy 200') ?? 0;
  await until(() => (traffic.ended.get('legacy 200') ?? 0) > before + 50, 'the session goes on');
  await traffic.end();
  const select = { operationIds: ['getBook'] };
  const { release } = await shop.api.createRelease('books', { kind: 'openapi', document: upstream.openapi, select });
  await shop.api.publish('books', release.id, 'breaking is meant');
  process.stdout.write(`shard taken over after ${seconds} s; calls by how they ended\n  ${traffic.counts}\n`);
  expect(traffic.failed).toEqual([]);
}, 180_000);

/** How many scripts a node has run. */
function evaluations(stats: string): number {
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}
