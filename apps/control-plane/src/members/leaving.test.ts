import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newCompany, type Company } from '../testing/company.fixture.js';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';
import { invite } from '../testing/member-examples.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let owner: string;
let admin: string;
let adminId: string;
let change: Company['change'];
let events: Company['events'];

beforeAll(async () => {
  api = await startControlPlane();
});

beforeEach(async () => {
  ({ tenant, owner, admin, adminId, change, events } = await newCompany(api));
});

afterAll(() => api?.stop());

describe('the API keys of a member', () => {
  const keyBy = async (token: string) => {
    const body = { name: 'theirs', scopes: ['management'] };
    return (await api.send('POST', '/v1/api-keys', { key: token, body })).body;
  };
  const opens = async ({ text }: { text: string }) => (await api.send('GET', '/v1/tenant', { key: text })).status;

  test('end when they are removed, also those that they made with a key, and no others', async () => {
    const [theirs, owners] = [await keyBy(admin), await keyBy(owner)];
    const byKey = await keyBy(theirs.text);
    const client = { kind: 'machine', name: 'robot', scopes: ['mcp'] };
    const { client_id: known } = (await api.send('POST', '/v1/clients', { key: theirs.text, body: client })).body
      .client;
    const removed = await api.send('DELETE', `/v1/members/${adminId}`, { key: owner });
    const ended = { grants_ended: 0, invitations_withdrawn: 0, api_keys_revoked: 2, api_keys_kept: 0 };
    expect([removed.status, removed.body]).toEqual([200, { ...ended, clients_known: [known] }]);
    expect([await opens(theirs), await opens(byKey), await opens(owners)]).toEqual([401, 401, 200]);
    expect((await events('member.removed'))[0].details).toEqual({ role_before: 'admin', ...ended });
    const revoked = await events('api_key.revoked');
    expect(revoked.map(({ details }: { details: unknown }) => details)).toEqual(
      Array.from({ length: 2 }, () => ({ reason: 'maker_left' })),
    );
  });

  test('go on when they are removed and the keys are to be kept', async () => {
    const theirs = await keyBy(admin);
    const removed = await api.send('DELETE', `/v1/members/${adminId}?keys=keep`, { key: owner });
    expect(removed.body).toMatchObject({ api_keys_revoked: 0, api_keys_kept: 1 });
    expect(await opens(theirs)).toBe(200);
    const other = await api.send('DELETE', `/v1/members/${tenant.ownerId}?keys=some`, { key: owner });
    expect(other.status).toBe(400);
  });

  test('end with the role by which they were made, unless they are to be kept', async () => {
    const theirs = await keyBy(admin);
    await change(owner, adminId, { role: 'owner' });
    expect(await opens(theirs)).toBe(200);
    const kept = await api.send('PATCH', `/v1/members/${adminId}?keys=keep`, { key: owner, body: { role: 'user' } });
    expect([kept.status, await opens(theirs)]).toEqual([200, 200]);
    await change(owner, adminId, { role: 'auditor' });
    expect(await opens(theirs)).toBe(401);
    const details = (await events('member.role_changed')).map((record: { details: unknown }) => record.details);
    expect(details.slice(0, 2)).toEqual([
      { role: 'auditor', role_before: 'user', invitations_withdrawn: 0, api_keys_revoked: 1, api_keys_kept: 0 },
      { role: 'user', role_before: 'owner', invitations_withdrawn: 0, api_keys_revoked: 0, api_keys_kept: 1 },
    ]);
  });
});

describe('an invitation', () => {
  const accept = (token: string) =>
    api.send('POST', '/v1/invitations/acceptance', { body: { token, password: 'correct horse battery' } });

  test('does not outlive what its sender may do: an owner’s to make an owner, and anybody’s', async () => {
    const second = await api.newMember(tenant, 'owner');
    const key = await api.tokenOf(tenant, second);
    const [toOwn, toWork] = [
      await invite(api, tenant, { key, role: 'owner' }),
      await invite(api, tenant, { key, role: 'admin' }),
    ];
    await change(owner, second, { role: 'admin' });
    expect((await accept(toOwn.token)).status).toBe(404);
    const open = (await api.send('GET', '/v1/invitations?state=open', { key: owner })).body.invitations;
    expect(open.map(({ id }: { id: string }) => id)).toEqual([toWork.id]);
    await change(owner, second, { role: 'developer' });
    expect((await accept(toWork.token)).status).toBe(404);
    await change(owner, second, { role: 'owner' });
    for (const { token } of [toOwn, toWork]) expect((await accept(token)).status).toBe(404);
    const counts = (await events('member.role_changed')).map(
      ({ details }: { details: { invitations_withdrawn: number } }) => details.invitations_withdrawn,
    );
    expect(counts.slice(0, 3)).toEqual([0, 1, 1]);
  });

  test('does not outlive the role of its sender when that is taken elsewhere than here', async () => {
    const second = await api.newMember(tenant, 'admin', { fromProvider: true });
    const invited = await invite(api, tenant, { key: await api.tokenOf(tenant, second) });
    // As the authorization server does when their provider says so.
    await api.control.asTenant(tenant.id, (tx) =>
      tx.query(`update members set role = 'user' where account_id = $1`, [second]),
    );
    expect((await accept(invited.token)).status).toBe(404);
    const { invitations } = (await api.send('GET', '/v1/invitations?state=withdrawn', { key: owner })).body;
    expect(invitations).toMatchObject([{ id: invited.id, state: 'withdrawn' }]);
  });
});
