import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mastersOf, type RedisStore } from '#libs/redis';
import { connectTestRedis, testRedis, until } from '#libs/testing';
import { Redis } from 'ioredis';
import { ChangeAnnouncer } from './announcer.js';
import { followChanges } from './feed.js';

let redis: RedisStore;
let announcer: ChangeAnnouncer;

beforeAll(async () => {
  redis = await connectTestRedis((await testRedis()).redisUrl);
  announcer = await ChangeAnnouncer.open(redis);
});
afterAll(() => {
  announcer.close();
  redis.disconnect();
});

test('an announcement resolves after every gateway has acted on it', async () => {
  const heard: string[] = [];
  const feeds = ['first', 'second'].map((name) =>
    followChanges(redis, (tenantId) => heard.push(`${name} ${tenantId}`)),
  );
  await until(async () => {
    // A node of a Cluster counts its own subscribers only.
    const counts = await Promise.all(mastersOf(redis).map((node) => node.pubsub('NUMSUB', 'wharf:changes')));
    return counts.reduce((sum, [, count]) => sum + Number(count), 0) === 2;
  }, 'both listen');
  heard.length = 0;
  await announcer.announce('tenant-a');
  expect(heard.toSorted()).toEqual(['first tenant-a', 'second tenant-a']);
  for (const feed of feeds) feed.close();
});

test('with nobody listening, or Redis away, it resolves all the same', async () => {
  const away = new Redis('redis://127.0.0.1:1', { lazyConnect: true, enableOfflineQueue: false, retryStrategy: null });
  away.on('error', () => undefined);
  const lost = await ChangeAnnouncer.open(away);
  await lost.announce('tenant-a');
  lost.close();
  away.disconnect();
});
