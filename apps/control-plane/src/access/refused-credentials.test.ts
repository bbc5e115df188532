import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mintApiKey } from '#libs/identity';
import { newId } from '#libs/database';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;

beforeAll(async () => {
  api = await startControlPlane();
  tenant = await api.newTenant();
});

afterAll(() => api?.stop());

const asked = async (path: string, headers: Record<string, string>): Promise<string> => {
  const { status, body } = await api.send('GET', path, { headers });
  expect([status, body.code]).toEqual([401, 'unauthenticated']);
  return body.detail;
};
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

test('an unknown, a revoked and an expired key, and one of no tenant, read alike word for word', async () => {
  const make = async (): Promise<{ id: string; text: string }> =>
    (await api.send('POST', '/v1/api-keys', { key: tenant.key, body: { name: 'k', scopes: ['management'] } })).body;
  const [revoked, expired] = [await make(), await make()];
  await api.send('DELETE', `/v1/api-keys/${revoked.id}`, { key: tenant.key });
  await api.control.asTenant(tenant.id, (tx) =>
    tx.query(`update api_keys set expires_at = now() where id = $1`, [expired.id]),
  );
  const unknown = `${tenant.key.slice(0, 26)}${'x'.repeat(43)}`;
  const details = new Set<string>();
  for (const text of [unknown, revoked.text, expired.text, mintApiKey(newId()).text]) {
    details.add(await asked('/v1/tenant', bearer(text)));
    details.add(await asked('/v1/tenant', { 'x-api-key': text }));
  }
  expect([...details]).toEqual([expect.stringContaining('revoked or have expired')]);
  expect([...details][0]).toContain('POST /v1/api-keys');
});

test.each([
  ['nothing', '/v1/tenant', {}, 'No credentials were sent. Send an API key or access token'],
  ['another scheme', '/v1/tenant', { authorization: 'Basic eDp5' }, 'names none of ours'],
  ['garbage', '/v1/tenant', bearer('garbage'), 'no credential of this API'],
  ['a key cut off', '/v1/tenant', bearer('whk_short'), 'not a whole API key'],
  ['a token of nobody', '/v1/tenant', bearer('a.b.c'), 'access token is not accepted'],
  ['an operator’s key at a tenant’s route', '/v1/tenant', bearer(`who_${'x'.repeat(43)}`), 'open /admin/v1'],
  ['the token of a look', '/v1/tenant', bearer(`whi_${'x'.repeat(65)}`), 'look is not accepted'],
  ['a client’s secret', '/v1/tenant', bearer('wcs_x'), 'token endpoint'],
  ['nothing to operators', '/admin/v1/tenants', {}, 'Send an operator’s session or key'],
  ['a tenant’s key to operators', '/admin/v1/tenants', bearer(`whk_${'x'.repeat(65)}`), 'opens nothing for operators'],
  ['an operator’s key that is unknown', '/admin/v1/tenants', bearer(`who_${'x'.repeat(43)}`), 'not accepted'],
  ['an operator’s session that is unknown', '/admin/v1/tenants', bearer(`whos_${'x'.repeat(43)}`), 'not accepted'],
])('whoever sends %s reads what to do next', async (_, path, headers, told) => {
  expect(await asked(path, headers)).toContain(told);
});
