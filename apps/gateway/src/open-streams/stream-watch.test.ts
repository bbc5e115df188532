import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { PlacedCall } from '../sessions/place.js';
import { watchStream } from './stream-watch.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const call = {} as PlacedCall; // only handed on
const never = new AbortController().signal;

test('an open stream ends within two seconds of its credential being refused, and not before', async () => {
  let allowed = true;
  const watch = watchStream(call, async () => allowed, never);
  await jest.advanceTimersByTimeAsync(60_000);
  expect([watch.signal.aborted, watch.refused()]).toEqual([false, false]);
  allowed = false;
  await jest.advanceTimersByTimeAsync(2_000);
  expect([watch.signal.aborted, watch.refused()]).toEqual([true, true]);
  watch.done();
});

test('an open stream ends when the gateway stops, which refuses nobody; nobody looks at one that is done', async () => {
  const stopping = new AbortController();
  const stillAllowed = jest.fn(async () => true);
  const watch = watchStream(call, stillAllowed, stopping.signal);
  stopping.abort();
  expect([watch.signal.aborted, watch.refused()]).toEqual([true, false]);
  watch.done();
  await jest.advanceTimersByTimeAsync(10_000);
  expect(stillAllowed).not.toHaveBeenCalled();
});
