import { expect, jest, test } from '@jest/globals';
import { AppError } from '#libs/errors';
import { AWAY_MS, FreshCache } from './fresh-cache.js';

interface Row {
  readonly tenantId: string;
  readonly value: number;
}

function cacheOf(hearing = () => true): FreshCache<Row> {
  return new FreshCache<Row>({ entriesMax: 10, hearing });
}

test('callers that miss together load once', async () => {
  const cache = cacheOf();
  let loads = 0;
  const load = async (): Promise<Row> => ({ tenantId: 'a', value: (loads += 1) });
  const rows = await Promise.all([cache.get('k', load), cache.get('k', load), cache.get('k', load)]);
  expect(rows.map((row) => row?.value)).toEqual([1, 1, 1]);
});

test('what changed while it was loaded is loaded again by the next caller', async () => {
  const cache = cacheOf();
  let finish: (row: Row) => void = () => undefined;
  const first = cache.get('k', () => new Promise((resolve) => (finish = resolve)));
  cache.forget('a');
  finish({ tenantId: 'a', value: 1 });
  expect((await first)?.value).toBe(1);
  expect((await cache.get('k', async () => ({ tenantId: 'a', value: 2 })))?.value).toBe(2);
});

test('a change of one tenant leaves the others remembered', async () => {
  const cache = cacheOf();
  await cache.get('a', async () => ({ tenantId: 'a', value: 1 }));
  await cache.get('b', async () => ({ tenantId: 'b', value: 1 }));
  cache.forget('a');
  expect([cache.peek('a'), cache.peek('b')?.value]).toEqual([undefined, 1]);
  cache.forget('*');
  expect(cache.peek('b')).toBeUndefined();
});

test('a load that fails is not remembered', async () => {
  const cache = cacheOf();
  await expect(cache.get('k', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect((await cache.get('k', async () => ({ tenantId: 'a', value: 2 })))?.value).toBe(2);
});

test('what was not heard to change is looked up again after a minute, and after two seconds while nothing is heard', async () => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  // The cache has taken hold of this clock already.
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => Date.now());
  try {
    let hearing = true;
    const cache = cacheOf(() => hearing);
    const later = async (ms: number): Promise<number | undefined> => {
      await jest.advanceTimersByTimeAsync(ms);
      return cache.peek('k')?.value;
    };
    await cache.get('k', async () => ({ tenantId: 'a', value: 1 }));
    expect([await later(1_990), await later(58_000), await later(20)]).toEqual([1, 1, undefined]);
    hearing = false;
    await cache.get('k', async () => ({ tenantId: 'a', value: 2 }));
    expect([await later(1_990), await later(20)]).toEqual([2, undefined]);
  } finally {
    clock.mockRestore();
    jest.useRealTimers();
  }
});

test('while the database is away, what is remembered is used for five minutes, and not what was forgotten', async () => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  const clock = jest.spyOn(performance, 'now').mockImplementation(() => Date.now());
  try {
    const cache = cacheOf(() => false);
    const away = async (): Promise<never> => Promise.reject(new AppError('unavailable'));
    for (const tenantId of ['a', 'b']) await cache.get(tenantId, async () => ({ tenantId, value: 1 }));
    await jest.advanceTimersByTimeAsync(AWAY_MS);
    expect((await cache.get('a', away))?.value).toBe(1);
    let asked = 0;
    const silent = (): Promise<never> => new Promise(() => (asked += 1));
    expect((await cache.get('a', silent))?.value).toBe(1);
    expect(asked).toBe(0);
    await jest.advanceTimersByTimeAsync(2_000);
    const late = cache.get('a', silent);
    await jest.advanceTimersByTimeAsync(500);
    expect([(await late)?.value, asked]).toEqual([1, 1]);
    cache.forget('b');
    await expect(cache.get('b', away)).rejects.toThrow(AppError);
    await jest.advanceTimersByTimeAsync(2 * 60_000);
    await expect(cache.get('c', away)).rejects.toThrow(AppError);
    cache.forget('none');
    await expect(cache.get('a', away)).rejects.toThrow(AppError);
  } finally {
    clock.mockRestore();
    jest.useRealTimers();
  }
});

test('what PostgreSQL gives up for another is read again, once, and what took too long is not', async () => {
  const cache = cacheOf(() => true);
  const refused = ['40P01', '40P01', '40P01', '57014', '42P01'];
  const load = async (): Promise<{ tenantId: string; value: number }> => {
    const code = refused.shift();
    if (code === undefined) return { tenantId: 'a', value: 1 };
    throw Object.assign(new Error('refused'), { driverError: { code } });
  };
  await expect(cache.get('k', load)).rejects.toMatchObject({ code: 'unavailable' });
  expect(refused).toHaveLength(3);
  await expect(cache.get('k', load)).rejects.toMatchObject({ code: 'unavailable' });
  expect(refused).toHaveLength(1);
  await expect(cache.get('k', load)).rejects.toThrow('refused');
  expect(await cache.get('k', load)).toEqual({ tenantId: 'a', value: 1 });
});
