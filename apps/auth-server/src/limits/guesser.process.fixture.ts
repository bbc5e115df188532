import { until } from '#libs/testing';
import { AttemptCounter } from './attempt-counter.js';
import { Guesses } from './guesses.js';

/** A process that begins guesses, says how many of them may be judged, and ends none. */

const [redisUrl = '', key = '', max = '', judgedMsMax = ''] = process.argv.slice(2);
const attempts = new AttemptCounter(redisUrl);
const answers = (): Promise<boolean> =>
  attempts.ping().then(
    () => true,
    () => false,
  );
await until(answers, 'Redis');
const guesses = new Guesses(attempts, Number(judgedMsMax));
const failures = { key, max: Number(max), windowSeconds: 900 };
const turns = await Promise.all(Array.from({ length: failures.max }, () => guesses.begin(failures)));
process.send?.(turns.filter(({ end }) => end !== undefined).length);
