import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endOf, testRedis, until } from '#libs/testing';
import { AttemptCounter, type Allowance } from './attempt-counter.js';
import { Guesses } from './guesses.js';

const GUESSER = path.resolve('dist/apps/auth-server/src/limits/guesser.process.fixture.js');
const MAX = 3;
/** How long that process may judge a guess. */
const JUDGED_MS = '500';
const MINUTE_MS = 60_000;

let redisUrl: string;
let attempts: AttemptCounter;

beforeAll(async () => {
  ({ redisUrl } = await testRedis());
  attempts = new AttemptCounter(redisUrl);
  const answers = (): Promise<boolean> =>
    attempts.ping().then(
      () => true,
      () => false,
    );
  await until(answers, 'Redis');
});

afterAll(() => attempts.stop());

const failuresOf = (key: string): Allowance => ({ key, max: MAX, windowSeconds: 900 });

describe('Guesses', () => {
  it('judges as many at once as may fail', async () => {
    const guesses = new Guesses(attempts, MINUTE_MS);
    const turns = await Promise.all(Array.from({ length: MAX }, () => guesses.begin(failuresOf('at once'))));
    const another = (): Promise<boolean> => attempts.claims.claim('another', MINUTE_MS, failuresOf('at once'));
    expect(await another()).toBe(false);
    await turns[0]?.end?.('not-wrong');
    expect(await another()).toBe(true);
  });

  it('refuses everybody once as many were wrong as may be', async () => {
    const guesses = new Guesses(attempts, MINUTE_MS);
    for (let wrong = 0; wrong < MAX; wrong += 1) await (await guesses.begin(failuresOf('wrong'))).end?.('wrong');
    expect((await guesses.begin(failuresOf('wrong'))).retryAfterSeconds).toBeGreaterThan(0);
  });

  it('keeps the place of a wrong one longer than a guess is judged', async () => {
    const key = 'kept';
    const guesses = new Guesses(attempts, 1);
    await (await guesses.begin(failuresOf(key))).end?.('wrong');
    const claims = [];
    for (let at = 0; at < MAX; at += 1)
      claims.push(await attempts.claims.claim(`other ${at}`, MINUTE_MS, failuresOf(key)));
    expect(claims).toEqual([true, true, false]);
  });

  it('has the turns of a killed process again', async () => {
    const key = 'killed';
    const child = fork(GUESSER, [redisUrl, key, String(MAX), JUDGED_MS], { execArgv: [] });
    expect(await once(child, 'message')).toEqual([MAX, undefined]);
    await endOf(child, 'SIGKILL');
    expect((await new Guesses(attempts).begin(failuresOf(key))).retryAfterSeconds).toBe(0);
  });
});
