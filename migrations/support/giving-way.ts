import { setTimeout as pause } from 'node:timers/promises';

/** As PostgreSQL calls a lock that was not had in time, and two that wait for each other. */
const HELD = new Set(['55P03', '40P01']);
const TRIES = 60;
const PAUSE_MS = 250;

/**
 * Does work that changes tables which are in use. Whoever waits for a table makes everybody after it wait too, so the work
 * gives up after its `lock_timeout`, lets them by and tries again, a bounded number of times.
 */
export async function givingWay<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      const { code } = error as { code?: string }; // of PostgreSQL, or none
      if (code === undefined || !HELD.has(code) || left === 0) throw error;
      await pause(PAUSE_MS);
    }
  }
}
