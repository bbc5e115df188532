import { newEmergencyKey } from './emergency-key.fixture.js';
import { beginEnrolment, codeOf, invite, newOperator, newSession } from './operators.fixture.js';
import type { MakeExample } from './example.fixture.js';

const reason = 'because a test says so';

/** Good requests of operators about themselves and each other. */
export const OPERATOR_PEOPLE_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /admin/v1/operators': () => ({ path: '/admin/v1/operators', status: 200 }),
  'POST /admin/v1/operators': () => ({
    path: '/admin/v1/operators',
    status: 201,
    body: { email: 'new-operator@example.com', name: 'Nora', role: 'support', reason },
  }),
  'PATCH /admin/v1/operators/{id}': async (api) => ({
    path: `/admin/v1/operators/${(await invite(api, 'support')).id}`,
    status: 200,
    body: { role: 'operator', reason },
  }),
  'POST /admin/v1/operators/{id}/invitation': async (api) => ({
    path: `/admin/v1/operators/${(await invite(api, 'support')).id}/invitation`,
    status: 201,
    body: { reason },
  }),
  'GET /admin/v1/operators/{id}/keys': async (api) => ({
    path: `/admin/v1/operators/${(await invite(api, 'support')).id}/keys`,
    status: 200,
  }),
  'DELETE /admin/v1/operators/{id}/keys/{key}': async (api) => {
    const { operator, token: key } = await newSession(api, 'support');
    const made = await api.send('POST', '/admin/v1/me/keys', { key, body: { name: 'leaked', reason } });
    return { path: `/admin/v1/operators/${operator.id}/keys/${made.body.key.id}?reason=leaked`, status: 204 };
  },
  'PUT /admin/v1/me/password': async (api) => {
    const { operator, token: key } = await newSession(api, 'support');
    const body = { password: operator.password, code: codeOf(operator.totp, 1), new_password: 'another horse battery' };
    return { path: '/admin/v1/me/password', status: 204, key, body };
  },
  'GET /admin/v1/emergency-keys': () => ({ path: '/admin/v1/emergency-keys', status: 200 }),
  'DELETE /admin/v1/emergency-keys/{id}': async (api) => ({
    path: `/admin/v1/emergency-keys/${(await newEmergencyKey(api)).id}?reason=done`,
    status: 204,
  }),
  'GET /admin/v1/me': () => ({ path: '/admin/v1/me', status: 200 }),
  'POST /admin/v1/me/sign-out': () => ({ path: '/admin/v1/me/sign-out', status: 204 }),
  'GET /admin/v1/me/keys': () => ({ path: '/admin/v1/me/keys', status: 200 }),
  'POST /admin/v1/me/keys': async (api) => ({
    path: '/admin/v1/me/keys',
    status: 201,
    key: (await newSession(api, 'operator')).token,
    body: { name: 'night watch', reason },
  }),
  'DELETE /admin/v1/me/keys/{id}': async (api) => {
    const { token: key } = await newSession(api, 'support');
    const made = await api.send('POST', '/admin/v1/me/keys', { key, body: { name: 'old', reason } });
    return { path: `/admin/v1/me/keys/${made.body.key.id}?reason=done`, status: 204, key };
  },
};

/** Good requests of operators who are not in yet. */
export const OPERATOR_ENTRY_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'POST /admin/v1/enrolments': async (api) => ({
    path: '/admin/v1/enrolments',
    status: 200,
    body: { invitation: (await invite(api, 'support')).text, password: 'correct horse battery' },
  }),
  'POST /admin/v1/enrolments/confirmation': async (api) => {
    const { text: invitation } = await invite(api, 'support');
    const totp = await beginEnrolment(api, invitation);
    return { path: '/admin/v1/enrolments/confirmation', status: 200, body: { invitation, code: codeOf(totp) } };
  },
  'POST /admin/v1/sign-in': async (api) => {
    const { email, password, totp } = await newOperator(api, 'support');
    return { path: '/admin/v1/sign-in', status: 201, body: { email, password, code: codeOf(totp) } };
  },
};

const IMPERSONATIONS = (slug: string): string => `/admin/v1/tenants/${slug}/impersonations`;

/** Good requests of operators about one tenant. */
export const OPERATED_TENANT_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /admin/v1/tenants/{tenant}/limits': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/limits`,
    status: 200,
  }),
  'PUT /admin/v1/tenants/{tenant}/limits': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/limits`,
    status: 200,
    body: { limits: { calls_per_month: null }, reason },
  }),
  'GET /admin/v1/tenants/{tenant}/usage': (_, { slug }) => ({ path: `/admin/v1/tenants/${slug}/usage`, status: 200 }),
  'GET /admin/v1/tenants/{tenant}/health': (_, { slug }) => ({
    path: `/admin/v1/tenants/${slug}/health?minutes=5`,
    status: 200,
  }),
  'GET /admin/v1/tenants/{tenant}/impersonations': (_, { slug }) => ({ path: IMPERSONATIONS(slug), status: 200 }),
  'POST /admin/v1/tenants/{tenant}/impersonations': (_, { slug }) => ({
    path: IMPERSONATIONS(slug),
    status: 201,
    body: { minutes: 5, reason },
  }),
  'DELETE /admin/v1/tenants/{tenant}/impersonations/{id}': async (api, { slug }) => {
    const made = await api.send('POST', IMPERSONATIONS(slug), { key: api.operatorKey, body: { reason } });
    return { path: `${IMPERSONATIONS(slug)}/${made.body.impersonation.id}?reason=done`, status: 204 };
  },
};
