import { checkFormula } from './check.js';
import { checkPlacement } from './placement.js';

/**
 * `npm run scaling`: places the tenants of two sizes without any machine and holds that against the formula, then runs the platform
 * small, measures what tenants, sessions and calls cost, and holds that against it too. `npm run scaling -- placement 100000` places so many
 * tenants and nothing else.
 */
const TENANTS = [1_000, 10_000];
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const [word, ...numbers] = process.argv.slice(2);
const tenants = word === undefined ? TENANTS : numbers.map(Number);
const understood = word === undefined || (word === 'placement' && tenants.length > 0 && tenants.every(isCount));
if (!understood) {
  process.stderr.write('npm run scaling knows "placement" and how many tenants, from 100 on.\n');
  process.exit(2);
}
const placed = checkPlacement(tenants, (text) => process.stdout.write(`${text}\n`));
const priced = word === 'placement' || (await checkFormula());
process.exit(placed && priced ? 0 : 1);

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 100;
}
