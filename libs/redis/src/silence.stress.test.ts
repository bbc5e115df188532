import { expect, test } from '@jest/globals';
import { openRedis, untilOpened } from '#libs/redis';
import { testRedis, until, wayTo } from '#libs/testing';

test('a connection to Redis whose far end is gone is given up, and commands are answered on another', async () => {
  const way = await wayTo((await testRedis()).redisUrl);
  const errors: string[] = [];
  const redis = openRedis(way.url, { commandMs: 200, onError: ({ message }) => void errors.push(message) });
  await untilOpened(redis);
  expect(await redis.ping()).toBe('PONG');
  way.loseFarEnds();
  await expect(redis.ping()).rejects.toThrow('Command timed out');
  await until(
    () =>
      redis.ping().then(
        () => true,
        () => false,
      ),
    'an answer',
  );
  expect(errors).toEqual([expect.stringContaining('Socket timeout')]);
  redis.disconnect();
  await way.stop();
});
