import { setTimeout as pause } from 'node:timers/promises';

/** As PostgreSQL calls a lock that was not had in time, and two that wait for each other. */
const HELD = new Set(['55P03', '40P01']);
/**
 * How long one try waits for a table. Where two wait for each other PostgreSQL fails the one that has waited for its own
 * `deadlock_timeout` first, a second unless it is told another; far shorter, so that it is the migration that gives way and no call.
 */
const BRIEF_MS = 250;
/** An automatic vacuum leaves its table to none but who has waited for longer than `deadlock_timeout`. */
const LONG_MS = 5_000;
const LONG_EVERY = 10;
const TRIES = 330;
const PAUSE_MS = 250;
/** Who may looks almost at once whether it is in somebody's way: superusers, and whoever was granted it. */
const LOOK_SOON = `select set_config('deadlock_timeout', '10ms', false) where has_parameter_privilege('deadlock_timeout', 'set')`;

/**
 * Does work that changes tables which are in use. Whoever waits for a table makes everybody after it wait too, so the work
 * gives up after a `lock_timeout`, lets them by and tries again, a bounded number of times.
 * @param source whose one free connection does the work
 */
export async function givingWay<Result>(
  source: { query(sql: string): Promise<unknown> },
  work: () => Promise<Result>,
): Promise<Result> {
  await source.query(LOOK_SOON);
  for (let tries = 1; ; tries += 1) {
    await source.query(`set lock_timeout = ${tries % LONG_EVERY === 0 ? LONG_MS : BRIEF_MS}`);
    try {
      const result = await work();
      await source.query(`reset lock_timeout`);
      return result;
    } catch (error) {
      const { code } = error as { code?: string }; // of PostgreSQL, or none
      if (code === undefined || !HELD.has(code) || tries === TRIES) throw error;
      await pause(PAUSE_MS);
    }
  }
}
