import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createLogger } from '#libs/telemetry';
import type { WorkerDriver, WorkerProcess } from '../isolation/worker-driver.js';
import { WarmWorkers } from './warm-workers.js';

const SECOND = 1_000;

/** A worker of which only its life matters. */
class Life implements WorkerProcess {
  readonly startMsMax = 0;
  readonly pendingBytes = 0;
  readonly outlet = undefined;
  alive = true;
  assign(): void {}
  send(): void {}
  stop(): void {}
  kill(): void {
    this.alive = false;
  }
}

/** Counts what is started, and decides whether it lives. */
class Births implements WorkerDriver {
  readonly name = 'process';
  readonly started: Life[] = [];
  works = true;
  async close(): Promise<void> {}
  start(): WorkerProcess {
    const life = new Life();
    life.alive = this.works;
    this.started.push(life);
    return life;
  }
}

let births: Births;
let warm: WarmWorkers;
beforeEach(() => {
  jest.useFakeTimers();
  births = new Births();
});
afterEach(() => {
  warm.stop();
  jest.useRealTimers();
});

function open(count: number): void {
  warm = new WarmWorkers(births, count, 256, createLogger('test', 'silent'));
}
const waiting = (): number => births.started.filter(({ alive }) => alive).length;

test('ends those that wait and starts as many in their place, as if none had failed', () => {
  open(2);
  jest.advanceTimersByTime(SECOND);
  const before = [...births.started];
  warm.renew();
  expect([before.map(({ alive }) => alive), warm.list()]).toEqual([
    [false, false],
    [{ memoryMb: 256, waiting: 0, wanted: 2 }],
  ]);
  jest.advanceTimersByTime(SECOND);
  expect(warm.list()).toEqual([{ memoryMb: 256, waiting: 2, wanted: 2 }]);
});

test('is full again after a burst has taken more than waited, and none of the burst has waited for that', () => {
  open(4);
  jest.advanceTimersByTime(SECOND);
  expect(waiting()).toBe(4);
  const taken = Array.from({ length: 10 }, () => warm.take());
  expect(births.started).toHaveLength(10); // six for those who found none; nothing is replaced in their time
  jest.advanceTimersByTime(5 * SECOND);
  expect(births.started).toHaveLength(14);
  expect(new Set(taken).size).toBe(10);
});

test('starts one at a time', () => {
  open(64);
  let before = births.started.length;
  let most = before;
  for (let step = 0; step < 1_000; step += 1) {
    jest.advanceTimersByTime(10);
    most = Math.max(most, births.started.length - before);
    before = births.started.length;
  }
  expect([most, waiting()]).toEqual([1, 64]);
});

test('does not spin where no worker comes up, and is full soon after they do', () => {
  births.works = false;
  open(4);
  jest.advanceTimersByTime(600 * SECOND);
  // 1 s, 2 s, 4 s … 30 s apart, looked at every other second.
  expect(births.started.length).toBeLessThan(30);
  expect(births.started.length).toBeGreaterThan(10);
  births.works = true;
  jest.advanceTimersByTime(40 * SECOND);
  expect(waiting()).toBe(4);
});

test('a tenant that finds none waiting has one started at once, also while those that wait come up no more', () => {
  births.works = false;
  open(2);
  jest.advanceTimersByTime(60 * SECOND);
  births.works = true;
  const before = births.started.length;
  expect(warm.take().alive).toBe(true);
  expect(births.started).toHaveLength(before + 1);
});

test('forgets its failures once a worker has come up', () => {
  births.works = false;
  open(1);
  jest.advanceTimersByTime(120 * SECOND);
  births.works = true;
  jest.advanceTimersByTime(60 * SECOND);
  const before = births.started.length;
  births.started.at(-1)?.kill();
  jest.advanceTimersByTime(5 * SECOND);
  expect(births.started).toHaveLength(before + 1);
});

test('keeps other sizes only while somebody asks for them', () => {
  open(1);
  warm.take(512);
  jest.advanceTimersByTime(SECOND);
  expect(births.started).toHaveLength(3);
  jest.advanceTimersByTime(700 * SECOND);
  expect(births.started.filter(({ alive }) => alive)).toHaveLength(2); // the default's, and the one that was taken
});
