import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { openDataFolder } from './data-folder.js';
import { startRedis } from './redis.js';

let parent: string;
afterEach(() => rmSync(parent, { recursive: true, force: true }));

async function ping(url: string): Promise<string> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  try {
    await client.connect();
    return await client.ping();
  } finally {
    client.disconnect();
  }
}

test('starts in a folder whose path holds spaces and quotes', async () => {
  parent = mkdtempSync(path.join(tmpdir(), 'wharf-redis-'));
  const server = await startRedis(openDataFolder(path.join(parent, `my "own" wharf's`)), '.cache', 'disposable');
  expect(await ping(server.url)).toBe('PONG');
  await server.stop();
});

test('leaves the Redis of another folder alone when a stale pid names it', async () => {
  parent = mkdtempSync(path.join(tmpdir(), 'wharf-redis-'));
  const folders = ['one', 'two'].map((name) => path.join(parent, name));
  for (const folder of folders) mkdirSync(folder);
  const [one = '', two = ''] = folders;
  const theirs = await startRedis(openDataFolder(one), '.cache', 'disposable');
  copyFileSync(path.join(one, 'redis.pid'), path.join(two, 'redis.pid'));
  const ours = await startRedis(openDataFolder(two), '.cache', 'disposable');
  expect(await ping(theirs.url)).toBe('PONG');
  await ours.stop();
  await theirs.stop();
});
