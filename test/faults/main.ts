import { optionsFrom } from './options.js';
import { runFaults } from './run.js';

/** `npm run faults`: breaks what the platform stands on; `-- --help` says how it is asked for parts of that. */
const options = optionsFrom(process.argv.slice(2));
if ('text' in options) {
  (options.status === 0 ? process.stdout : process.stderr).write(options.text);
  process.exit(options.status);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.exit((await runFaults(options)) === 0 ? 0 : 1);
