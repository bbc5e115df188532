import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { AuthWorld, locationOf, WEB_CLIENT, type TestClient } from './testing/auth-world.fixture.js';
import { refusalAt } from './testing/browser.fixture.js';
import { HeldRows } from './testing/held-rows.fixture.js';

describe('refresh tokens', () => {
  let world: AuthWorld;
  let acme: string;
  let ana: string;
  let mcp: string;
  let client: TestClient;
  const EMAIL = 'ana@acme.test';

  beforeAll(async () => {
    world = await AuthWorld.open();
    acme = await world.addTenant('acme', 'Acme');
    ana = await world.addPerson(EMAIL, { [acme]: 'user' });
    mcp = `${world.url}/t/acme/mcp`;
    client = await world.register();
  });
  afterAll(async () => world.close());

  test('rotate, without naming the resource again too', async () => {
    const first = await world.signedIn(client, mcp, EMAIL);
    const second = await world.refresh(client, first.body['refresh_token'], mcp);
    expect(second.status).toBe(200);
    expect(second.body['refresh_token']).not.toBe(first.body['refresh_token']);
    const third = await world.token(client, {
      grant_type: 'refresh_token',
      refresh_token: String(second.body['refresh_token']),
    });
    expect(third.body).toMatchObject({ scope: 'mcp:read' });
  });

  test('used again after their replacement was used revoke the grant, and the tenant’s log says so (O-12)', async () => {
    const first = await world.signedIn(client, mcp, EMAIL);
    const second = await world.refresh(client, first.body['refresh_token'], mcp);
    const third = await world.refresh(client, second.body['refresh_token'], mcp);
    const reused = await world.refresh(client, first.body['refresh_token'], mcp);
    expect([reused.status, reused.body['error']]).toEqual([400, 'invalid_grant']);
    const active = await world.refresh(client, third.body['refresh_token'], mcp);
    expect([active.status, active.body['error']]).toEqual([400, 'invalid_grant']);
    const { rows } = await world.owner.query(
      `select actor, outcome, details, source_address is not null as addressed from audit_records
       where tenant_id = $1 and event = 'token.reuse_detected'`,
      [acme],
    );
    expect(rows).toEqual([
      {
        actor: { kind: 'person', id: ana, client: client.client_id },
        outcome: 'revoked',
        details: { grant: 'refresh_token', resource: mcp, client: client.client_id },
        addressed: true,
      },
    ]);
  });

  test('revoked by their client are no reuse', async () => {
    const before = await world.audited(acme);
    const first = await world.signedIn(client, mcp, EMAIL);
    await world.form('/auth/revoke', { client_id: client.client_id, token: String(first.body['refresh_token']) });
    const reuses = (lines: readonly string[]) => lines.filter((line) => line.startsWith('token.reuse_detected'));
    expect(reuses(await world.audited(acme))).toEqual(reuses(before));
  });

  test('whose grant ends while they are used are refused, not failed', async () => {
    const { body } = await world.signedIn(client, mcp, EMAIL);
    const gid = decodeJwt(String(body['access_token']))['gid'];
    await world.owner.query(`update grants set revoked_at = now() where id = $1`, [gid]);
    const refused = await world.refresh(client, body['refresh_token'], mcp);
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_grant']);
    expect(refused.body['error_description']).toContain('Begin a new authorization');
  });

  test('used many times at once make one family (O-13)', async () => {
    const first = await world.signedIn(client, mcp, EMAIL);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => world.refresh(client, first.body['refresh_token'], mcp)),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const replacements = new Set(answers.map(({ body }) => body['refresh_token']));
    expect(replacements.size).toBe(1);
    expect((await world.refresh(client, [...replacements][0], mcp)).status).toBe(200);
  });

  test('whose answer was lost can be used again, and the lost replacement is then worth a revocation (O-12)', async () => {
    const first = await world.signedIn(client, mcp, EMAIL);
    const lost = await world.refresh(client, first.body['refresh_token'], mcp);
    await world.owner.query(
      `update oauth_artifacts set consumed_at = consumed_at - interval '1 minute' where model = 'RefreshToken'`,
    );
    const second = await world.refresh(client, first.body['refresh_token'], mcp);
    expect(second.status).toBe(200);
    expect(second.body['refresh_token']).not.toBe(lost.body['refresh_token']);
    expect((await world.refresh(client, lost.body['refresh_token'], mcp)).status).toBe(400);
    expect((await world.refresh(client, second.body['refresh_token'], mcp)).status).toBe(400);
  });

  test('whose answer was lost make one family too, used many times at once, and again when that answer is lost', async () => {
    const agent = await world.register();
    const { body } = await world.signedIn(agent, mcp, EMAIL);
    await world.refresh(agent, body['refresh_token'], mcp);
    const forget = () =>
      world.owner.query(
        `update oauth_artifacts set consumed_at = consumed_at - interval '1 minute' where model = 'RefreshToken'`,
      );
    for (let lost = 0; lost < 2; lost += 1) {
      await forget();
      const held = await HeldRows.hold(
        world,
        `select from oauth_artifacts where model = 'RefreshToken' and grant_id = $1 for update`,
        [decodeJwt(String(body['access_token']))['gid']],
      );
      const asked = Array.from({ length: 20 }, () => world.refresh(agent, body['refresh_token'], mcp));
      await held.untilAwaitedBy(5);
      await held.release();
      const answers = await Promise.all(asked);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
      expect(new Set(answers.map((answer) => answer.body['refresh_token'])).size).toBe(1);
    }
    await forget();
    const last = await world.refresh(agent, body['refresh_token'], mcp);
    expect(last.status).toBe(200);
    expect((await world.refresh(agent, last.body['refresh_token'], mcp)).status).toBe(200);
  });

  test('cannot widen the scope (O-15), nor be used by another client', async () => {
    const first = await world.signedIn(client, mcp, EMAIL);
    const token = String(first.body['refresh_token']);
    const wider = await world.token(client, {
      grant_type: 'refresh_token',
      refresh_token: token,
      scope: 'mcp management',
    });
    expect(wider.body['error']).toBe('invalid_scope');
    expect((await world.refresh(await world.register(), token, mcp)).body['error']).toBe('invalid_grant');
    expect((await world.refresh(client, token, mcp)).status).toBe(200);
  });

  test('revoked by their client are refused, revoked by another stay alive (O-25)', async () => {
    const first = await world.signedIn(client, mcp, EMAIL);
    const token = String(first.body['refresh_token']);
    const other = await world.register();
    await world.form('/auth/revoke', { client_id: other.client_id, token });
    const second = await world.refresh(client, token, mcp);
    expect(second.status).toBe(200);
    const revoked = await world.form('/auth/revoke', {
      client_id: client.client_id,
      token: String(second.body['refresh_token']),
    });
    expect(revoked.status).toBe(200);
    expect((await world.refresh(client, second.body['refresh_token'], mcp)).body['error']).toBe('invalid_grant');
    expect((await world.form('/auth/revoke', { client_id: client.client_id, token: 'unknown' })).status).toBe(200);
  });

  test('are not issued to clients that did not register for them', async () => {
    const plain = await world.register({ grant_types: ['authorization_code'] });
    const answer = await world.signedIn(plain, mcp, EMAIL);
    expect(answer.status).toBe(200);
    expect(answer.body['refresh_token']).toBeUndefined();
  });

  test('clients, sessions, consents and refresh tokens outlive the process (O-14)', async () => {
    const client = await world.register(WEB_CLIENT);
    const browser = world.browser();
    const given = (await world.authorize(client, mcp, EMAIL, browser)).searchParams.get('code');
    const first = await world.redeem(client, given, mcp);
    const second = await world.refresh(client, first.body['refresh_token'], mcp);
    const keys = await (await fetch(`${world.url}/auth/jwks`)).text();
    await world.restart();
    expect(await (await fetch(`${world.url}/auth/jwks`)).text()).toBe(keys);
    const third = await world.refresh(client, second.body['refresh_token'], mcp);
    expect(third.status).toBe(200);
    const again = locationOf(await browser.open(world.authorizeUrl(client, mcp)));
    expect(again.searchParams.get('code')).toEqual(expect.any(String));
    expect((await world.refresh(client, first.body['refresh_token'], mcp)).body['error']).toBe('invalid_grant');
  });

  test('a member who was removed gets no further token', async () => {
    const gone = await world.addPerson('gone@acme.test', { [acme]: 'user' });
    const first = await world.signedIn(client, mcp, 'gone@acme.test');
    await world.owner.query(`delete from members where account_id = $1`, [gone]);
    const refused = await world.refresh(client, first.body['refresh_token'], mcp);
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_grant']);
  });

  test('a suspended tenant authorizes and refreshes nobody, and everything works again when it is resumed', async () => {
    const first = await world.signedIn(client, mcp, EMAIL);
    await world.owner.query(`update tenants set status = 'suspended' where id = $1`, [acme]);
    const page = await world.browser().open(world.authorizeUrl(client, mcp));
    expect(refusalAt(page)).toMatch(/^invalid_target .*suspended/);
    const refused = await world.refresh(client, first.body['refresh_token'], mcp);
    expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_target']);
    const unnamed = await world.token(client, {
      grant_type: 'refresh_token',
      refresh_token: String(first.body['refresh_token']),
    });
    expect([unnamed.status, unnamed.body['error']]).toEqual([400, 'invalid_grant']);
    const due = `update tenants set deletion_due_at = '2031-05-06T10:00:00Z' where id = $1`;
    await world.owner.query(due, [acme]);
    const leaving = /^invalid_target The tenant of this resource is to be deleted, and nothing .*owners can keep it/;
    expect(refusalAt(await world.browser().open(world.authorizeUrl(client, mcp)))).toMatch(leaving);
    const gone = await world.refresh(client, first.body['refresh_token'], mcp);
    expect(`${String(gone.body['error'])} ${String(gone.body['error_description'])}`).toMatch(leaving);
    await world.owner.query(`update tenants set status = 'active', deletion_due_at = null where id = $1`, [acme]);
    expect((await world.refresh(client, first.body['refresh_token'], mcp)).status).toBe(200);
  });
});
