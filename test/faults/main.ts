import { IN_CI } from './catalogue/in-ci.js';
import { runFaults } from './run.js';

/**
 * `npm run faults`: breaks what the platform stands on, one thing after the other, under the calls of real MCP clients,
 * and prints what came of each. `npm run faults -- only kill-gateway …` takes the faults whose names begin so, `-- ci`
 * those that CI brings about; `-- minutes 5` before that begins none after so many.
 */
const MINUTES = 45;
const given = process.argv.slice(2);
const minutes = given[0] === 'minutes' ? Number(given.splice(0, 2)[1]) : MINUTES;
const [word, ...only] = given;
const known = word === undefined || (word === 'only' && only.length > 0) || (word === 'ci' && only.length === 0);
if (!known || !(minutes > 0)) {
  process.stderr.write(
    'npm run faults knows "minutes" and a number behind it, then "ci", or "only" and names of faults behind it.\n',
  );
  process.exit(2);
}
const names = word === 'ci' ? IN_CI : only;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const failed = await runFaults(names, minutes);
process.exit(failed === 0 ? 0 : 1);
