import { withLoggedAct } from './audit-log.fixture.js';
import { OPERATION_EXAMPLES } from './operation-examples.fixture.js';
import { OPERATED_TENANT_EXAMPLES, OPERATOR_PEOPLE_EXAMPLES } from './operator-examples.fixture.js';
import type { MakeExample } from './example.fixture.js';

/** Good requests about what operators do and did. */
export const ACTION_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  ...OPERATOR_PEOPLE_EXAMPLES,
  ...OPERATED_TENANT_EXAMPLES,
  ...OPERATION_EXAMPLES,
  'GET /admin/v1/actions': () => ({ path: '/admin/v1/actions', status: 200 }),
  'GET /admin/v1/actions/checkpoints': () => ({ path: '/admin/v1/actions/checkpoints', status: 200 }),
  'GET /admin/v1/actions/consistency': async (api) => {
    await withLoggedAct(api);
    return { path: '/admin/v1/actions/consistency?from=1&to=1', status: 200 };
  },
  'GET /admin/v1/actions/{id}/proof': async (api) => ({
    path: `/admin/v1/actions/${await withLoggedAct(api)}/proof`,
    status: 200,
  }),
  'GET /admin/v1/actions/export': () => ({ path: '/admin/v1/actions/export', status: 200 }),
};
