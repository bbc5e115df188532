import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { AuthWorld, type TestClient } from '../testing/auth-world.fixture.js';

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
  client = await world.register({ client_name: 'Agent of Ana' });
});
afterAll(async () => world.close());

/** The row of the grant that an access token names. */
async function rowOf(accessToken: unknown): Promise<Record<string, unknown>> {
  const { gid } = decodeJwt(String(accessToken));
  const { rows } = await world.owner.query<Record<string, unknown>>(
    `select *, revoked_at is not null as revoked, expires_at - last_used_at > interval '13 days' as refreshable
     from grants where id = $1`,
    [gid],
  );
  expect(rows).toHaveLength(1);
  return rows[0] ?? {};
}

describe('a grant', () => {
  test('is written down before its first token leaves: who, where, since when', async () => {
    const answer = await world.signedIn(client, mcp, EMAIL);
    expect(await rowOf(answer.body['access_token'])).toMatchObject({
      tenant_id: acme,
      account_id: ana,
      client_id: client.client_id,
      client_name: 'Agent of Ana',
      redirect_host: '127.0.0.1:9',
      resource: mcp,
      scope: 'mcp:read',
      revoked: false,
      refreshable: true,
    });
  });

  test('is one and the same for every token of its family, and knows when the last one was issued', async () => {
    const first = await world.signedIn(client, mcp, EMAIL);
    const before = await rowOf(first.body['access_token']);
    const second = await world.refresh(client, first.body['refresh_token'], mcp);
    const after = await rowOf(second.body['access_token']);
    expect([after['id'], after['created_at'], after['redirect_host']]).toEqual([
      before['id'],
      before['created_at'],
      '127.0.0.1:9',
    ]);
    expect(Number(after['last_used_at'])).toBeGreaterThan(Number(before['last_used_at']));
  });

  test('of a client without refresh tokens lives as long as its access token', async () => {
    const plain = await world.register({ grant_types: ['authorization_code'] });
    const answer = await world.signedIn(plain, mcp, EMAIL);
    expect(await rowOf(answer.body['access_token'])).toMatchObject({ refreshable: false });
  });

  test('is revoked when something of it is used twice, and when its client revokes it', async () => {
    const first = await world.signedIn(client, mcp, EMAIL);
    const second = await world.refresh(client, first.body['refresh_token'], mcp);
    await world.refresh(client, second.body['refresh_token'], mcp);
    await world.refresh(client, first.body['refresh_token'], mcp);
    expect(await rowOf(first.body['access_token'])).toMatchObject({ revoked: true });
    const other = await world.signedIn(client, mcp, EMAIL);
    await world.form('/auth/revoke', { client_id: client.client_id, token: String(other.body['refresh_token']) });
    expect(await rowOf(other.body['access_token'])).toMatchObject({ revoked: true });
  });

  test('that has been revoked gives no further token, whatever of it is still there', async () => {
    const first = await world.signedIn(client, mcp, EMAIL);
    const { id } = await rowOf(first.body['access_token']);
    await world.owner.query(`update grants set revoked_at = now() where id = $1`, [id]);
    const refused = await world.refresh(client, first.body['refresh_token'], mcp);
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.body['access_token']).toBeUndefined();
  });
});
