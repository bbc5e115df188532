import type { MakeExample } from './example.fixture.js';

/** Good requests about what calls used. */
export const USAGE_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/usage': () => ({ path: '/v1/usage?by=server,tool,client', status: 200 }),
  'GET /v1/usage/export': () => ({ path: '/v1/usage/export?per=hour', status: 200 }),
  'GET /v1/usage/budgets': () => ({ path: '/v1/usage/budgets', status: 200 }),
};
