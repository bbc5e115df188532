import { randomBytes } from 'node:crypto';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import type { MakeExample } from './example.fixture.js';

const REASON = 'because a test says so';
const host = (): string => `n-${randomBytes(5).toString('hex')}.internal`;

async function newAllowance(api: ControlPlane, { slug }: TestTenant): Promise<string> {
  const path = `/admin/v1/tenants/${slug}/egress-allowances`;
  const made = await api.send('POST', path, { key: api.operatorKey, body: { host: host(), port: 80, reason: REASON } });
  if (made.status !== 201) throw new Error(`expected 201: ${made.text}`);
  return made.body.egress_allowance.id;
}

/** Good requests to the routes of private addresses that operators open. */
export const EGRESS_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /admin/v1/tenants/{tenant}/egress-allowances': async (api, tenant) => {
    await newAllowance(api, tenant);
    return { path: `/admin/v1/tenants/${tenant.slug}/egress-allowances`, status: 200 };
  },
  'POST /admin/v1/tenants/{tenant}/egress-allowances': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/egress-allowances`,
    status: 201,
    body: { host: host(), port: 8080, reason: REASON },
  }),
  'DELETE /admin/v1/tenants/{tenant}/egress-allowances/{id}': async (api, tenant) => ({
    path: `/admin/v1/tenants/${tenant.slug}/egress-allowances/${await newAllowance(api, tenant)}?reason=done`,
    status: 204,
  }),
};
