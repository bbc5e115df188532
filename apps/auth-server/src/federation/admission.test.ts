import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { locationOf } from '../testing/auth-world.fixture.js';
import { ANNA, departureOf, FederationWorld } from '../testing/federation-world.fixture.js';
import { connectProvider } from '../testing/openid-provider.fixture.js';

let f: FederationWorld;

beforeAll(async () => {
  f = await FederationWorld.open();
});
afterAll(() => f?.close());
beforeEach(() => f.begin());

describe('who is let in', () => {
  test('an e-mail of the tenant’s domain without a password leads to the provider', async () => {
    const browser = f.newBrowser();
    const login = await f.loginPage(browser);
    const asked = await browser.submit(login, { email: 'anna@company.example', password: '', action: 'login' });
    expect(asked.text).toContain('Allow and sign in');
    const leaving = await browser.submit(asked, {
      provider: f.provider,
      action: 'forward',
      email: 'anna@company.example',
    });
    expect(new URL(departureOf(leaving)).searchParams.get('login_hint')).toBe('anna@company.example');
  });

  test.each([
    ['outside the tenant’s domains', { email: 'anna@elsewhere.example' }, 'no e-mail address of a domain'],
    ['whose domain only ends like it', { email: 'anna@notcompany.example' }, 'no e-mail address of a domain'],
    ['whose e-mail the provider has not verified', { email_verified: false }, 'no e-mail address of a domain'],
    [
      'whose e-mail the provider calls unverified in a text',
      { email_verified: 'false' },
      'no e-mail address of a domain',
    ],
    ['of whose e-mail it says neither', { email_verified: 'unknown' }, 'no e-mail address of a domain'],
    ['without an e-mail', { email: undefined }, 'no e-mail address of a domain'],
    ['without a group that counts', { groups: ['visitors'] }, 'None of your groups'],
    ['without groups', { groups: undefined }, 'None of your groups'],
    ['whose groups did not fit', { groups: undefined, _claim_names: { groups: 'src1' } }, 'more groups than fit'],
  ])('nobody %s', async (_, changes, sentence) => {
    await f.company.tell({ person: { ...ANNA, sub: 'stranger', ...changes } });
    const page = await f.signIn();
    expect([page.status, page.text]).toEqual([403, expect.stringContaining(sentence)]);
    expect(await f.members()).toEqual([]);
  });

  test.each([
    ['says nothing about, as Entra ID', {}],
    ['has verified', { email_verified: true }],
    ['has verified, it says in a text', { email_verified: 'true' }],
  ])('whose e-mail the provider %s', async (_, changes) => {
    await f.company.tell({ person: { ...ANNA, ...changes } });
    locationOf(await f.signIn());
    expect(await f.members()).toEqual(['anna@company.example developer']);
  });

  test('only whom a claim of one text puts in the organization, where it is the claim of groups', async () => {
    const before = await f.world.owner.query(
      `select group_claim, group_roles::text, default_role from identity_providers where id = $1`,
      [f.provider],
    );
    const choose = (claim: string, roles: string, role: string | null) =>
      f.world.owner.query(
        `update identity_providers set group_claim = $2, group_roles = $3, default_role = $4, updated_at = now() where id = $1`,
        [f.provider, claim, roles, role],
      );
    await choose('groups', '[{"group":"company.example","role":"user"}]', null);
    await f.company.tell({ person: { ...ANNA, groups: 'company.example' } });
    locationOf(await f.signIn());
    expect(await f.members()).toEqual(['anna@company.example user']);
    await f.company.tell({ person: { ...ANNA, groups: 'elsewhere.example' } });
    expect((await f.signIn()).status).toBe(403);
    expect(await f.members()).toEqual([]);
    const { group_claim: claim, group_roles: roles, default_role: role } = before.rows[0];
    await choose(claim, roles, role);
  });

  test('what only userinfo tells counts too', async () => {
    await f.company.tell({ person: ANNA, userinfoOnly: true });
    locationOf(await f.signIn());
    expect(await f.members()).toEqual(['anna@company.example developer']);
  });

  test('without just-in-time membership, only members', async () => {
    await f.world.owner.query(`update identity_providers set just_in_time = false, updated_at = now() where id = $1`, [
      f.provider,
    ]);
    const page = await f.signIn();
    await f.world.owner.query(`update identity_providers set just_in_time = true, updated_at = now() where id = $1`, [
      f.provider,
    ]);
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('signing in does not make you one')]);
  });

  test('a person with the e-mail of an account here is somebody else', async () => {
    const boss = await f.world.addPerson('boss@company.example', { [f.acme]: 'owner' });
    await f.company.tell({ person: { ...ANNA, sub: 'impostor', email: 'boss@company.example' } });
    const answer = await f.world.redeem(f.client, locationOf(await f.signIn()).searchParams.get('code'), f.resource);
    const payload = JSON.parse(
      Buffer.from(String(answer.body['access_token']).split('.')[1] ?? '', 'base64').toString(),
    );
    expect(payload.sub).not.toBe(boss);
    const { rows } = await f.world.owner.query(`select role from members where account_id = $1`, [payload.sub]);
    expect(rows).toEqual([{ role: 'developer' }]);
  });
});

describe('who was let in once', () => {
  async function signedIn(): Promise<{ refresh: unknown }> {
    const answer = await f.world.redeem(f.client, locationOf(await f.signIn()).searchParams.get('code'), f.resource);
    expect(answer.status).toBe(200);
    return { refresh: answer.body['refresh_token'] };
  }
  const grantsHeld = async () =>
    (await f.world.owner.query(`select 1 from grants where tenant_id = $1 and revoked_at is null`, [f.acme])).rowCount;

  beforeEach(() => f.world.owner.query(`delete from grants where tenant_id = $1`, [f.acme]));

  test('gets another role with other groups', async () => {
    await signedIn();
    await f.world.owner.query(
      `update identity_providers set group_roles = '[{"group":"engineers","role":"developer"},{"group":"leads","role":"admin"}]',
         updated_at = now() where id = $1`,
      [f.provider],
    );
    await f.company.tell({ person: { ...ANNA, groups: ['engineers', 'leads'] } });
    await signedIn();
    expect(await f.members()).toEqual(['anna@company.example admin']);
    expect(await f.world.audited(f.acme)).toContain('member.role_changed ok');
  });

  test('is in the groups that the last sign-in told, by which servers are opened', async () => {
    const groups = async (): Promise<string[]> =>
      (await f.world.owner.query(`select groups from members where tenant_id = $1`, [f.acme])).rows[0].groups;
    await f.company.tell({ person: { ...ANNA, groups: ['engineers', 'leads', 'x'.repeat(300)] } });
    await signedIn();
    expect(await groups()).toEqual(['engineers', 'leads']);
    await f.company.tell({ person: ANNA });
    await signedIn();
    expect(await groups()).toEqual(['engineers']);
    expect(await f.world.audited(f.acme)).toContain('member.groups_changed ok');
  });

  test('loses role, membership and everything agents hold with the group', async () => {
    const { refresh } = await signedIn();
    expect(await grantsHeld()).toBe(1);
    await f.company.tell({ person: { ...ANNA, groups: [] } });
    expect((await f.signIn()).status).toBe(403);
    expect([await f.members(), await grantsHeld()]).toEqual([[], 0]);
    expect((await f.world.refresh(f.client, refresh, f.resource)).body).toMatchObject({ error: 'invalid_grant' });
    expect(await f.world.audited(f.acme)).toContain('member.removed ok');
  });

  test('gets no new token when the provider was not asked for too long', async () => {
    const { refresh } = await signedIn();
    await f.world.owner.query(`update federated_identities set signed_in_at = now() - interval '169 hours'`);
    expect((await f.world.refresh(f.client, refresh, f.resource)).body).toMatchObject({ error: 'invalid_grant' });
    await signedIn();
  });

  test('has no access where the provider is gone', async () => {
    const { refresh } = await signedIn();
    await f.world.owner.query(`update identity_providers set issuer = 'https://gone.example' where id = $1`, [
      f.provider,
    ]);
    const answer = await f.world.refresh(f.client, refresh, f.resource);
    await f.world.owner.query(`update identity_providers set issuer = $2 where id = $1`, [
      f.provider,
      f.company.issuer,
    ]);
    expect(answer.body).toMatchObject({ error: 'invalid_grant' });
  });
});

describe('another tenant', () => {
  const twinResource = () => `${f.world.url}/t/twin/mcp`;

  test('does not offer the provider, nor takes it when it is named', async () => {
    const browser = f.newBrowser();
    const login = await f.loginPage(browser, twinResource());
    expect(login.text).not.toContain('Continue with');
    const hinted = await browser.submit(login, { email: 'anna@company.example', password: '', action: 'login' });
    expect(hinted.status).toBe(401);
    const page = await browser.submit(login, { provider: f.provider, action: 'forward' });
    expect([page.headers.get('refresh'), page.text]).toEqual([null, expect.stringContaining('name="password"')]);
  });

  test('gives a person of the provider nothing at its URLs, whoever they are signed in as', async () => {
    const browser = f.newBrowser();
    const code = locationOf(await f.signIn(browser));
    expect(code.searchParams.get('code')).not.toBeNull();
    const page = await f.loginPage(browser, twinResource());
    expect([page.status, page.text]).toEqual([403, expect.stringContaining('You have no access to CANARY-B')]);
  });

  test('cannot make them a member, by whatever means', async () => {
    locationOf(await f.signIn());
    const { rows } = await f.world.owner.query(`select account_id as id from members where tenant_id = $1`, [f.acme]);
    await expect(
      f.world.owner.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'user')`, [
        f.twin,
        rows[0].id,
      ]),
    ).rejects.toThrow('cannot be a member of another');
  });

  test('with the same provider knows the same person as somebody else', async () => {
    const own = await connectProvider(f.world, f.twin, f.company, { default_role: 'user' });
    locationOf(await f.signIn());
    const browser = f.newBrowser();
    const login = await f.loginPage(browser, twinResource());
    const asked = await browser.submit(login, { provider: own });
    const leaving = await browser.submit(asked, { provider: own, action: 'forward' });
    locationOf(await browser.open(departureOf(leaving)));
    const { rows } = await f.world.owner
      .query(`select count(distinct account_id)::int as people from federated_identities
      where subject = 'anna-1'`);
    expect(rows).toEqual([{ people: 2 }]);
    expect((await f.world.audited(f.twin)).join()).not.toContain(f.acme);
  });
});
