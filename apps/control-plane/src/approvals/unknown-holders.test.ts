import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { waitingApproval } from '../testing/policy-examples.fixture.js';

/** Clients that got a secret or keys, and nobody wrote down who was given them. */
let api: ControlPlane;

beforeAll(async () => {
  api = await startControlPlane();
});
afterAll(() => api?.stop());

const MACHINE = { kind: 'machine', name: 'Nightly' };
const JWK = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const KEYED = { ...MACHINE, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [JWK] } };

const newClient = async (tenant: TestTenant, body: object): Promise<string> =>
  (await api.send('POST', '/v1/clients', { key: tenant.key, body })).body.client.client_id;
const approve = async (tenant: TestTenant, person: string, client: string) => {
  const id = await waitingApproval(api, tenant, { kind: 'client', id: client });
  return api.send('POST', `/v1/approvals/${id}/approve`, { key: await api.tokenOf(tenant, person) });
};
const rotate = (client: string, key: string) =>
  api.send('POST', `/v1/clients/${client}/secret`, { key, body: { overlap_seconds: 60 } });
/** As a service of an earlier version writes it, which says nothing of holders. */
const write = (tenant: TestTenant, client: string, what: string) =>
  api.control.asTenant(tenant.id, (tx) =>
    tx.query(`update clients set ${what} where tenant_id = $1 and id = $2`, [tenant.id, client]),
  );

test.each([
  [
    'another secret',
    MACHINE,
    `previous_secret_hash = secret_hash, secret_hash = repeat('0', 64), previous_secret_expires_at = now() + interval '1 day'`,
  ],
  ['other keys', KEYED, `key_set = jsonb_set(key_set, '{keys,0,kid}', '"another"')`],
  ['keys at a URL', KEYED, `key_set = null, key_set_url = 'https://app.example.com/jwks'`],
])('nobody approves what a client asked for that an earlier version gave %s', async (_what, body, given) => {
  const tenant = await api.newTenant();
  const client = await newClient(tenant, body);
  const admin = await api.newMember(tenant, 'admin');
  expect((await approve(tenant, admin, client)).status).toBe(200);
  await write(tenant, client, given);
  const refused = await approve(tenant, admin, client);
  expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining('nobody can tell whose it is')]);
});

test('a later secret, of somebody who is known, leaves it unknown who holds the one before', async () => {
  const tenant = await api.newTenant();
  const client = await newClient(tenant, MACHINE);
  await write(tenant, client, `secret_hash = repeat('0', 64)`);
  expect((await rotate(client, await api.tokenOf(tenant, tenant.ownerId))).status).toBe(200);
  const admin = await api.newMember(tenant, 'admin');
  expect((await approve(tenant, admin, client)).status).toBe(403);
});

test('nobody approves what a client asked for whose secret was given to a key of nobody’s', async () => {
  const tenant = await api.newTenant();
  const client = await newClient(tenant, MACHINE);
  const made = await api.send('POST', '/v1/api-keys', {
    key: tenant.key,
    body: { name: 'nobody’s', scopes: ['management'] },
  });
  await api.control.asTenant(tenant.id, (tx) =>
    tx.query(`update api_keys set created_by = null, maker_unknown = true where id = $1`, [made.body.id]),
  );
  expect((await rotate(client, made.body.text)).status).toBe(200);
  const admin = await api.newMember(tenant, 'admin');
  expect((await approve(tenant, admin, client)).status).toBe(403);
});

test('what else an earlier version changes of a client leaves it known whose it is', async () => {
  const tenant = await api.newTenant();
  const client = await newClient(tenant, MACHINE);
  await write(tenant, client, `name = 'Daily', enabled = true, key_set = key_set, secret_hash = secret_hash`);
  const admin = await api.newMember(tenant, 'admin');
  expect((await approve(tenant, admin, client)).status).toBe(200);
});
