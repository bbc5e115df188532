import { soak } from './soak.js';

const MINUTES = 10;
const MINUTES_MAX = 24 * 60;

/** `npm run soak`: calls for ten minutes, `npm run soak -- minutes 60` for as long; is everything then as large as before? */
const [word = 'minutes', text = String(MINUTES)] = process.argv.slice(2);
const minutes = Number(text);
if (word !== 'minutes' || !(minutes > 0 && minutes <= MINUTES_MAX)) {
  process.stderr.write(`npm run soak knows "minutes" and a number up to ${MINUTES_MAX} behind it.\n`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.exit((await soak(minutes)) ? 0 : 1);
