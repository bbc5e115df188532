import { checkFormula } from './check.js';

/** `npm run scaling`: runs the platform small, measures what tenants, sessions and calls cost, and holds it against the formula. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.exit((await checkFormula()) ? 0 : 1);
