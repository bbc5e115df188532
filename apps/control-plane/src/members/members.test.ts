import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { invite } from '../testing/member-examples.fixture.js';
import { newCompany, type Company } from '../testing/company.fixture.js';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

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

const remove = (key: string, id: string) => api.send('DELETE', `/v1/members/${id}`, { key });

describe('owners', () => {
  test('the last owner can neither go nor become anything else, whoever asks', async () => {
    for (const answer of [
      await change(owner, tenant.ownerId, { role: 'admin' }),
      await remove(owner, tenant.ownerId),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
    }
    expect((await api.send('GET', '/v1/members?role=owner', { key: owner })).body.members).toHaveLength(1);
  });

  test('the last owner whom mails reach stays beside one who has lost their address, and that one may go', async () => {
    const lost = await api.newMember(tenant, 'owner', { email: `${tenant.id}@lost.invalid` });
    for (const answer of [
      await change(owner, tenant.ownerId, { role: 'admin' }),
      await remove(owner, tenant.ownerId),
    ]) {
      expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('whom mails reach')]);
    }
    expect((await remove(owner, lost)).status).toBe(200);
  });

  test('of two owners who remove each other at once one stays', async () => {
    const second = await api.newMember(tenant, 'owner');
    const secondToken = await api.tokenOf(tenant, second);
    const answers = await Promise.all([remove(owner, second), remove(secondToken, tenant.ownerId)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const { rows } = { rows: await api.control.asTenant(tenant.id, (tx) => tx.query(`select role from members`)) };
    expect(rows.filter(({ role }: { role: string }) => role === 'owner')).toHaveLength(1);
  });

  test('nobody but an owner makes, changes, removes or invites one', async () => {
    const user = await api.newMember(tenant, 'user');
    const answers = [
      await change(admin, user, { role: 'owner' }),
      await change(admin, adminId, { role: 'owner' }),
      await change(admin, tenant.ownerId, { role: 'user' }),
      await remove(admin, tenant.ownerId),
      await api.send('POST', '/v1/invitations', { key: admin, body: { email: 'o@example.com', role: 'owner' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
    expect((await change(owner, user, { role: 'owner' })).body.role).toBe('owner');
  });

  test('whom a provider let in can be no owner, and has the groups it says', async () => {
    const id = await api.newMember(tenant, 'user', { fromProvider: true });
    for (const body of [{ role: 'owner' }, { groups: ['a'] }]) {
      expect((await change(owner, id, body)).status).toBe(409);
    }
    expect((await change(owner, id, { role: 'auditor' })).status).toBe(200);
  });
});

describe('a member', () => {
  test('has a role and groups that are changed, recorded, and found by', async () => {
    const id = await api.newMember(tenant, 'user');
    const changed = await change(admin, id, { role: 'developer', groups: ['b', 'a', 'b'] });
    expect(changed.body).toMatchObject({ account_id: id, role: 'developer', groups: ['a', 'b'] });
    expect((await events('member.role_changed'))[0].details).toMatchObject({ role: 'developer', role_before: 'user' });
    expect((await events('member.groups_changed'))[0].details).toMatchObject({ groups: ['a', 'b'] });
    const found = await api.send('GET', '/v1/members?group=a', { key: owner });
    expect(found.body.members.map((member: { account_id: string }) => member.account_id)).toEqual([id]);
  });

  test('who is removed can do nothing any more, and what they invited is withdrawn', async () => {
    expect(
      (await api.send('POST', '/v1/invitations', { key: admin, body: { email: 'x@example.com', role: 'user' } }))
        .status,
    ).toBe(201);
    expect((await remove(owner, adminId)).body).toMatchObject({ invitations_withdrawn: 1 });
    expect((await api.send('GET', '/v1/tenant', { key: admin })).status).toBe(403);
    const { invitations } = (await api.send('GET', '/v1/invitations?state=open', { key: owner })).body;
    expect(invitations).toEqual([]);
  });

  test('pages of members go through all of them', async () => {
    for (let more = 0; more < 3; more += 1) await api.newMember(tenant, 'user');
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await api.send('GET', `/v1/members?limit=2${cursor}`, { key: owner });
      seen.push(...body.members.map((member: { account_id: string }) => member.account_id));
      if (body.next_cursor === null) break;
      cursor = `&cursor=${body.next_cursor}`;
    }
    expect([seen.length, new Set(seen).size]).toEqual([5, 5]);
  });
});

describe('an invitation', () => {
  const accept = (token: string, password = 'correct horse battery') =>
    api.send('POST', '/v1/invitations/acceptance', { body: { token, password } });

  test('makes a member of somebody without an account, once', async () => {
    const { token, email } = await invite(api, tenant, { groups: ['crew'] });
    const accepted = await accept(token);
    expect(accepted.body).toMatchObject({ tenant: tenant.slug, role: 'developer' });
    const again = await accept(token);
    expect([again.status, again.body.detail]).toEqual([404, expect.stringContaining('was accepted already')]);
    const { members } = (await api.send('GET', '/v1/members?group=crew', { key: owner })).body;
    expect(members).toMatchObject([{ email, role: 'developer', groups: ['crew'] }]);
    const [account] = await api.control.asService((tx) =>
      tx.query(`select email_verified_at is not null as verified from accounts where email = $1`, [email]),
    );
    expect(account.verified).toBe(true);
    expect(await events('invitation.accepted')).toHaveLength(1);
  });

  test('of many who use one at once one becomes a member', async () => {
    const other = await api.newTenant();
    // Of one who has no account yet, and of one who has.
    for (const email of [undefined, `${other.slug}@example.com`]) {
      const { token } = await invite(api, tenant, email === undefined ? {} : { email });
      const answers = await Promise.all([accept(token), accept(token), accept(token)]);
      const [first, ...losers] = answers.toSorted((one, two) => one.status - two.status);
      expect(first?.status).toBe(200);
      for (const { status, body } of losers) {
        expect([status, body.detail]).toEqual([404, expect.stringContaining('was accepted already')]);
      }
    }
    expect((await api.send('GET', '/v1/members', { key: owner })).body.members).toHaveLength(4);
  });

  test('is not used up by who makes an account of its address meanwhile, with another password', async () => {
    const { token, email } = await invite(api, tenant);
    const [accepted, opened] = await Promise.all([
      accept(token),
      api.send('POST', '/v1/signup', {
        body: { tenant_name: 'T', slug: `${tenant.slug}-twin`, email, password: 'another horse battery' },
      }),
    ]);
    const told = [accepted.status, opened.status];
    expect([
      [200, 409],
      [409, 201],
    ]).toContainEqual(told);
    if (accepted.status === 409) expect(accepted.body.detail).toContain('not its password');
  });

  test('needs the password of an account that is there: neither a mail nor an address alone is enough', async () => {
    const other = await api.newTenant();
    const { token, email } = await invite(api, tenant, { email: `${other.slug}@example.com` });
    expect(email).toBe(`${other.slug}@example.com`);
    expect((await accept(token, 'wrong horse battery')).status).toBe(409);
    expect((await accept(token)).status).toBe(200);
    const again = await api.send('POST', '/v1/invitations', { key: owner, body: { email, role: 'user' } });
    expect(again.status).toBe(409);
  });

  test('does not work when it was withdrawn, replaced or has expired, or is of another tenant', async () => {
    const withdrawn = await invite(api, tenant);
    await api.send('DELETE', `/v1/invitations/${withdrawn.id}`, { key: owner });
    const replaced = await invite(api, tenant);
    await invite(api, tenant, { email: replaced.email });
    const expired = await invite(api, tenant);
    await api.control.asTenant(tenant.id, (tx) =>
      tx.query(`update invitations set expires_at = now() where id = $1`, [expired.id]),
    );
    const foreign = await api.newTenant();
    const moved = `wiv_${Buffer.from(foreign.id.replaceAll('-', ''), 'hex').toString('base64url')}${expired.token.slice(26)}`;
    for (const token of [withdrawn.token, replaced.token, expired.token, moved, 'wiv_nothing']) {
      const answer = await accept(token);
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    }
  });

  test('its token is stored nowhere and shown to nobody but in the mail', async () => {
    const { token, id } = await invite(api, tenant);
    const shown = await api.send('GET', '/v1/invitations', { key: owner });
    const stored = await api.control.asTenant(tenant.id, (tx) =>
      tx.query(
        `select (select jsonb_agg(i) from invitations i)::text || (select jsonb_agg(a) from audit_records a)::text as all`,
      ),
    );
    expect(shown.body.invitations[0]).toMatchObject({ id, state: 'open' });
    expect(shown.text + JSON.stringify(stored)).not.toContain(token.slice(26));
  });

  test('its page takes a password, says what is wrong, and lets in', async () => {
    const { token } = await invite(api, tenant);
    const path = `/v1/invitations/acceptance/${token}`;
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const page = await api.send('GET', path);
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([
      200,
      expect.stringContaining("default-src 'none'"),
    ]);
    expect(page.text).toContain('<form method="post"');
    const short = await api.send('POST', path, { headers: form, body: 'password=short' });
    expect([short.status, short.text]).toEqual([200, expect.stringContaining('12 to 128')]);
    const done = await api.send('POST', path, { headers: form, body: 'password=correct+horse+battery' });
    expect([done.status, done.text]).toEqual([200, expect.stringContaining(`/t/${tenant.slug}/mcp`)]);
    expect((await api.send('POST', path, { headers: form, body: 'password=correct+horse+battery' })).status).toBe(404);
  });
});

describe('who may connect a server', () => {
  const people = '/v1/servers/orders/people';
  beforeEach(() => api.send('POST', '/v1/servers', { key: tenant.key, body: { slug: 'orders', name: 'Orders' } }));

  test('is replaced as a whole, by whoever knows what it was', async () => {
    const before = await api.send('GET', people, { key: tenant.key });
    expect(before.body).toEqual({ open_to: 'everyone', members: [], groups: [] });
    const body = { open_to: 'named', members: [adminId], groups: ['crew', 'crew'] };
    // An id is the same in capitals: a member who is named so is let in.
    const sent = { ...body, members: [adminId, adminId.toUpperCase()] };
    const put = (headers: Record<string, string>) => api.send('PUT', people, { key: tenant.key, body: sent, headers });
    expect((await put({})).body.code).toBe('precondition_required');
    const tag = { 'if-match': before.headers.get('etag') ?? '' };
    expect((await put(tag)).body).toEqual({ ...body, groups: ['crew'] });
    expect((await put(tag)).status).toBe(412);
    expect(await events('server.people_changed')).toHaveLength(1);
  });

  test('names members of this tenant only', async () => {
    const other = await api.newTenant();
    const body = { open_to: 'named', members: [other.ownerId], groups: [] };
    const answer = await api.send('PUT', people, { key: tenant.key, body, headers: { 'if-match': '*' } });
    expect([answer.status, answer.body.errors[0].pointer]).toEqual([422, '/members']);
  });
});
