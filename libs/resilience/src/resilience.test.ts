import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { circuitBreaker, isBreakerOpen, Slots, withDeadline } from './index.js';

test('a deadline fires with a TimeoutError', async () => {
  const { signal } = withDeadline(1);
  await once(signal, 'abort');
  expect(signal.reason).toMatchObject({ name: 'TimeoutError' });
});

test('a deadline follows its outer signal, with that signal’s reason', () => {
  const outer = new AbortController();
  const { signal, done } = withDeadline(60_000, outer.signal);
  outer.abort('gone');
  expect(signal.reason).toBe('gone');
  done();
});

test('slots are bounded for each key and released once', () => {
  const slots = new Slots();
  const first = slots.take('a', 1);
  expect(first).toBeDefined();
  expect(slots.take('a', 1)).toBeUndefined();
  expect(slots.take('b', 1)).toBeDefined();
  first?.();
  first?.();
  expect(slots.taken('a')).toBe(0);
  expect(slots.take('a', 1)).toBeDefined();
});

test('a breaker opens when half of ten calls failed, and lets one probe through after its time', async () => {
  let healthy = false;
  const breaker = circuitBreaker('upstream', async () => (healthy ? 'answer' : Promise.reject(new Error('down'))), {
    openMs: 5,
  });
  for (let call = 0; call < 10; call += 1) await breaker.fire().catch(() => undefined);
  expect(breaker.opened).toBe(true);
  const refused: unknown = await breaker.fire().catch((error: unknown) => error);
  expect(isBreakerOpen(refused)).toBe(true);
  await once(breaker, 'halfOpen');
  healthy = true;
  await expect(breaker.fire()).resolves.toBe('answer');
  expect(breaker.opened).toBe(false);
  breaker.shutdown();
});
