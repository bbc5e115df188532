import { runFaults } from './run.js';

/**
 * `npm run faults`: breaks what the platform stands on, one thing after the other, under the calls of real MCP clients,
 * and prints what came of each. `npm run faults -- only kill-gateway …` takes the faults whose names begin so.
 */
const [word, ...names] = process.argv.slice(2);
if (word !== undefined && word !== 'only') {
  process.stderr.write(`npm run faults knows "only" and names of faults behind it; it was given "${word}".\n`);
  process.exit(2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const failed = await runFaults(names);
process.exit(failed === 0 ? 0 : 1);
