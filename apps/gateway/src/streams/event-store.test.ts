import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { newId } from '#libs/database';
import type { RedisStore } from '#libs/redis';
import { DerivedKeys } from '#libs/secrets';
import { connectTestRedis, keysIn, testRedis } from '#libs/testing';
import { EventStore, type StreamEvent } from './event-store.js';
import type { TenantKeys } from './tenant-keys.js';

let redis: RedisStore;

beforeAll(async () => {
  redis = await connectTestRedis((await testRedis()).redisUrl);
});
afterAll(() => redis.disconnect());

function storeWith(events: number, bytes: number, key = new DerivedKeys([randomBytes(32)])): EventStore {
  const keys = { get: async () => key } as unknown as TenantKeys; // the one method that the store calls
  return new EventStore(redis, keys, { events, bytes, seconds: 60 });
}

function event(stream: string, number: number, text: string): StreamEvent {
  return { stream, number, kind: 'message', message: Buffer.from(text) };
}

test('a session keeps its newest events, so many and so many bytes', async () => {
  const owner = { tenantId: newId(), sessionId: 's' };
  const store = storeWith(3, 1_000);
  for (const number of [0, 1, 2, 3, 4]) expect(await store.add(owner, event('x', number, 'a'))).toBe(true);
  expect((await store.read(owner, 'x', '-')).events.map(({ number }) => number)).toEqual([2, 3, 4]);
  expect(await store.add(owner, event('x', 5, 'b'.repeat(960)))).toBe(true);
  expect((await store.read(owner, 'x', '-')).events.map(({ number }) => number)).toEqual([5]);
  expect(await store.add(owner, event('x', 6, 'b'.repeat(1_000)))).toBe(false);
});

test('a read goes on where the one before ended, and sees its own stream only', async () => {
  const owner = { tenantId: newId(), sessionId: 's' };
  const store = storeWith(10, 10_000);
  await store.add(owner, event('x', 0, 'first'));
  await store.add(owner, event('y', 0, 'other'));
  const first = await store.read(owner, 'x', '-');
  await store.add(owner, event('x', 1, 'second'));
  const second = await store.read(owner, 'x', first.cursor);
  expect([first, second].map(({ events }) => events.map(({ message }) => message.toString()))).toEqual([
    ['first'],
    ['second'],
  ]);
  expect((await store.read({ ...owner, tenantId: newId() }, 'x', '-')).events).toEqual([]);
});

test('an event that was moved to another session, or sealed under another key, does not open', async () => {
  const owner = { tenantId: newId(), sessionId: 's' };
  const store = storeWith(10, 10_000);
  await store.add(owner, event('x', 0, 'secret'));
  await expect(storeWith(10, 10_000).read(owner, 'x', '-')).rejects.toThrow();
  const name = (await keysIn(redis, `events:{${owner.tenantId}:*`)).find((key) => !key.endsWith('bytes'));
  const thief = { tenantId: owner.tenantId, sessionId: 't' };
  await store.add(thief, event('x', 1, 'own'));
  const names = await keysIn(redis, `events:{${owner.tenantId}:*`);
  const theirs = names.find((key) => key !== name && !key.endsWith('bytes'));
  await redis.restore(String(theirs), 0, (await redis.dumpBuffer(String(name))) ?? '', 'REPLACE');
  await expect(store.read(thief, 'x', '-')).rejects.toThrow();
});
