import { expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { openRedis, untilOpened } from '#libs/redis';
import { startSentinels, until } from '#libs/testing';

/** What ioredis keeps to itself: a connection's stream, and who listens to the sentinels for it. */
interface Inside {
  readonly status: string;
  readonly stream: { destroy(): void };
  readonly connector: {
    readonly failoverDetector: { readonly sentinels: ReadonlyArray<{ readonly client: Redis }> } | null;
  };
}

test('a switch of masters that is heard of while a client connects again does not end it', async () => {
  const shape = await startSentinels();
  const redis = openRedis(shape.url, { commandMs: 1_000, onError: () => undefined });
  try {
    await untilOpened(redis);
    const inside = redis as unknown as Inside;
    await until(() => inside.connector.failoverDetector !== null, 'who listens to the sentinels');
    const before = inside.connector.failoverDetector;
    const connecting = new Promise<void>((resolve) => redis.once('connecting', () => resolve()));
    inside.stream.destroy(); // as where a master is killed
    await connecting;
    for (const { client } of before?.sentinels ?? []) client.emit('message', '+switch-master', 'the new one');
    await until(() => inside.status === 'ready' || inside.status === 'end', 'an end of connecting');
    expect(await redis.ping()).toBe('PONG');
  } finally {
    redis.disconnect();
    await shape.stop();
  }
});
