import { randomBytes } from 'node:crypto';
import type { ControlPlane, TestTenant } from './control-plane.fixture.js';
import { OPERATOR_ENTRY_EXAMPLES } from './operator-examples.fixture.js';
import type { MakeExample } from './example.fixture.js';

const PASSWORD = 'correct horse battery';
const address = (): string => `i-${randomBytes(6).toString('hex')}@example.com`;

/** Invites somebody, as the owner unless `key` is another's; gives the invitation's id and the token that the mail carries. */
export async function invite(
  api: ControlPlane,
  tenant: TestTenant,
  { key, ...body }: Readonly<Record<string, unknown>> & { readonly key?: string } = {},
): Promise<{ id: string; email: string; token: string }> {
  const sender = key ?? (await api.tokenOf(tenant, tenant.ownerId));
  const sent = { email: address(), role: 'developer', ...body };
  const answer = await api.send('POST', '/v1/invitations', { key: sender, body: sent });
  if (answer.status !== 201) throw new Error(`not invited: ${answer.text}`);
  const texts = (await api.mails()).filter(({ to }) => to === answer.body.email).map(({ text }) => text);
  const token = /acceptance\/(wiv_[\w-]+)/.exec(texts.join())?.[1];
  if (token === undefined) throw new Error('no mail with a token');
  return { id: answer.body.id, email: answer.body.email, token };
}

async function newServer(api: ControlPlane, { key }: TestTenant): Promise<string> {
  const slug = `n-${randomBytes(5).toString('hex')}`;
  await api.send('POST', '/v1/servers', { key, body: { slug, name: 'CANARY server' } });
  return slug;
}

/** Good requests to the routes of members, invitations, and who may connect a server. */
export const MEMBER_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  'GET /v1/members': () => ({ path: '/v1/members', status: 200 }),
  'GET /v1/members/{member}': (_, { ownerId }) => ({ path: `/v1/members/${ownerId}`, status: 200 }),
  'PATCH /v1/members/{member}': async (api, tenant) => ({
    path: `/v1/members/${await api.newMember(tenant, 'user')}`,
    status: 200,
    body: { role: 'developer', groups: ['CANARY group'] },
  }),
  'DELETE /v1/members/{member}': async (api, tenant) => ({
    path: `/v1/members/${await api.newMember(tenant, 'user')}`,
    status: 200,
  }),
  'GET /v1/invitations': () => ({ path: '/v1/invitations', status: 200 }),
  'POST /v1/invitations': () => ({
    path: '/v1/invitations',
    status: 201,
    body: { email: address(), role: 'developer', groups: ['CANARY group'] },
  }),
  'DELETE /v1/invitations/{invitation}': async (api, tenant) => ({
    path: `/v1/invitations/${(await invite(api, tenant)).id}`,
    status: 204,
  }),
  'GET /v1/servers/{server}/people': async (api, tenant) => ({
    path: `/v1/servers/${await newServer(api, tenant)}/people`,
    status: 200,
  }),
  'PUT /v1/servers/{server}/people': async (api, tenant) => ({
    path: `/v1/servers/${await newServer(api, tenant)}/people`,
    status: 200,
    headers: { 'if-match': '*' },
    body: { open_to: 'named', members: [tenant.ownerId], groups: ['CANARY group'] },
  }),
};

/** Good requests of people who were invited, or are to sign in, and have no credentials yet. */
export const ACCEPTANCE_EXAMPLES: Readonly<Record<string, MakeExample>> = {
  ...OPERATOR_ENTRY_EXAMPLES,
  'POST /v1/invitations/acceptance': async (api, tenant) => ({
    path: '/v1/invitations/acceptance',
    status: 200,
    body: { token: (await invite(api, tenant)).token, password: PASSWORD },
  }),
  'GET /v1/invitations/acceptance/{token}': async (api, tenant) => ({
    path: `/v1/invitations/acceptance/${(await invite(api, tenant)).token}`,
    status: 200,
  }),
  'POST /v1/invitations/acceptance/{token}': async (api, tenant) => ({
    path: `/v1/invitations/acceptance/${(await invite(api, tenant)).token}`,
    status: 200,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: `password=${encodeURIComponent(PASSWORD)}`,
  }),
};

/** Whether only people may call a route, whose examples then need a token of the owner's. */
export const isForPeople = (route: string): boolean =>
  /^\w+ \/v1\/(members|invitations|me|tenant\/exports|tenant\/restore)\b|^DELETE \/v1\/tenant$|^POST \/v1\/approvals\b/.test(
    route,
  ) && !(route in ACCEPTANCE_EXAMPLES);
