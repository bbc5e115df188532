import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { openDataFolder, startRedis, type EmbeddedServer } from '#libs/embedded';
import { GatewayUnderTest } from '../gateway.fixture.js';
import { modern, send } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';
import { RedisRoom } from './redis-room.js';

const MIB = 1_048_576;
const MAX_MEMORY = 24 * MIB;
const LARGE = 3_000_000;

let folder: string;
let server: EmbeddedServer;
let redis: Redis;
let gateway: GatewayUnderTest;
let upstream: Listening;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-room-'));
  server = await startRedis(openDataFolder(folder), '.cache', 'disposable');
  redis = new Redis(server.url);
  await redis.config('SET', 'maxmemory', MAX_MEMORY);
  upstream = await listen((_, response) => response.setHeader('content-type', 'text/plain').end('.'.repeat(LARGE)));
  gateway = await GatewayUnderTest.start({ REDIS_URL: server.url });
});

afterAll(async () => {
  await gateway.stop();
  await upstream.close();
  redis.disconnect();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** What a gateway that starts now lets results take, and what it warns of. */
async function roomOf(bytesMax: number): Promise<{ bytes: number; warnings: string[] }> {
  const warnings: string[] = [];
  const warn = (...said: readonly unknown[]): void => void warnings.push(String(said[1]));
  const bytes = await new RedisRoom(redis, { warn }, bytesMax).bytes();
  return { bytes, warnings };
}

test('large answers of many tenants do not fill Redis, however small it is', async () => {
  for (const slug of ['one', 'two', 'three']) {
    const tenant = await gateway.tenant(slug, { large: `${upstream.origin}/` });
    await gateway.allow(tenant, upstream);
    for (let calls = 0; calls < 3; calls += 1) {
      const { headers, body } = modern('tools/call', { name: 'large', arguments: {} });
      const authorization = `Bearer ${tenant.key}`;
      const { json } = await send(tenant.serverUrl, { headers: { ...headers, authorization }, body });
      expect(json).toMatchObject({ result: { content: expect.anything() } });
      expect(json.result.isError).not.toBe(true);
    }
  }
  expect(Number(await redis.get('results:bytes'))).toBeGreaterThan(LARGE);
  expect(Number(await redis.get('results:bytes'))).toBeLessThanOrEqual(MAX_MEMORY / 4);
  expect(await redis.set('another', 'x'.repeat(MIB))).toBe('OK');
});

test('a quarter of Redis is for results, nothing where it is nearly full, and what is to be set is said', async () => {
  // Four times as much, since what connections still hold of the large answers counts as used too.
  await redis.config('SET', 'maxmemory', 4 * MAX_MEMORY);
  expect(await roomOf(24 * MIB)).toEqual({ bytes: 24 * MIB, warnings: [] });
  const told = expect.stringContaining(`Raise maxmemory of Redis to ${256 * MIB}, or set WHARF_KEPT_RESULT_BYTES_MAX`);
  expect(await roomOf(64 * MIB)).toEqual({ bytes: 24 * MIB, warnings: [told] });
  for (let much = 0; much < 58; much += 1) await redis.set(`much:${much}`, 'x'.repeat(MIB));
  const full = expect.stringContaining('More than 70 % of Redis is used');
  expect(await roomOf(6 * MIB)).toEqual({ bytes: 0, warnings: [full] });
  await redis.config('SET', 'maxmemory', 0);
  expect(await roomOf(64 * MIB)).toEqual({ bytes: 64 * MIB, warnings: [] });
});
