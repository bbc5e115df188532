import { afterEach, expect, test } from '@jest/globals';
import { FairAdmission, fairShare } from './fair-admission.js';

let admission: FairAdmission | undefined;
afterEach(() => admission?.stop());

test('shares are max-min fair: small wants are met, and what they leave is parted equally', () => {
  expect(fairShare([10, 20, 1_000], 120)).toBe(90);
  expect(fairShare([400, 1_000, 20], 120)).toBe(50);
  expect(fairShare([10, 20], 120)).toBe(Infinity);
  expect(fairShare([], 10)).toBe(Infinity);
});

/** A process that can answer so many calls in a window, and what came of the calls of each tenant. */
class Process {
  #nowMs = 1_000_000;
  readonly admitted = new Map<string, number>();
  readonly refused = new Map<string, number>();

  constructor(private readonly capacity: number) {
    admission = new FairAdmission({ delayMs: 50, callsMin: 10 });
    admission.stop(); // the times are ours
  }

  window(calls: Readonly<Record<string, number>>): void {
    let taken = 0;
    const waiting = Object.entries(calls).flatMap(([tenant, times]) =>
      Array.from({ length: times }, (_, at) => ({ tenant, when: at / times })),
    );
    for (const { tenant } of waiting.toSorted((one, other) => one.when - other.when)) {
      const reason = admission?.refuses(tenant, 'goes-on');
      const into = reason === undefined ? this.admitted : this.refused;
      into.set(tenant, (into.get(tenant) ?? 0) + 1);
      if (reason === undefined) taken += 1;
    }
    this.#nowMs += 100;
    admission?.observe(taken > this.capacity ? 80 : 0, this.#nowMs);
  }

  forget(): void {
    this.admitted.clear();
    this.refused.clear();
  }
}

test('a process that keeps up refuses nobody, and one turn that was late is no overload', () => {
  const process = new Process(100);
  for (let windows = 0; windows < 50; windows += 1) process.window({ a: 60, b: 30 });
  process.window({ a: 120, b: 30 });
  for (let windows = 0; windows < 50; windows += 1) process.window({ a: 60, b: 30 });
  expect(process.refused.size).toBe(0);
});

test('a tenant with twenty times its share is refused the rest, and the others nothing', () => {
  const process = new Process(100);
  for (let windows = 0; windows < 30; windows += 1) process.window({ noisy: 400, calm: 20, quiet: 5 });
  process.forget();
  for (let windows = 0; windows < 200; windows += 1) process.window({ noisy: 400, calm: 20, quiet: 5 });
  expect([process.refused.get('calm') ?? 0, process.refused.get('quiet') ?? 0]).toEqual([0, 0]);
  expect(process.refused.get('noisy')).toBeGreaterThan(200 * 250);
  expect(process.admitted.get('noisy')).toBeGreaterThan(200 * 30);
  for (let windows = 0; windows < 30; windows += 1) process.window({ noisy: 20, calm: 20 });
  process.forget();
  process.window({ noisy: 20, calm: 20 });
  expect(process.refused.size).toBe(0);
});

test('what begins is refused before what goes on', () => {
  const process = new Process(50);
  for (let windows = 0; windows < 10; windows += 1) process.window({ a: 100 });
  const begun = Array.from({ length: 100 }, (_, at) => admission?.refuses(`tenant ${at}`, 'begins'));
  const going = Array.from({ length: 5 }, () => admission?.refuses('c', 'goes-on'));
  expect([begun.includes('overload'), going.includes('overload')]).toEqual([true, false]);
});
