import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { AuthWorld, WEB_CLIENT, type Answered, type TestClient } from '../../testing/auth-world.fixture.js';
import { addClient, postForm } from '../../testing/tenant-clients.fixture.js';

let world: AuthWorld;
let acme: string;
let globex: string;
let resourceServer: TestClient;
let stranger: TestClient;
let app: TestClient;

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme');
  globex = await world.addTenant('globex');
  await world.addPerson('ada@example.com', { [acme]: 'owner' });
  resourceServer = await addClient(world, acme);
  stranger = await addClient(world, globex);
  app = await world.register({ ...WEB_CLIENT });
});
afterAll(async () => world.close());

const url = (): string => `${world.url}/t/acme/mcp`;
const tokensOf = (client: TestClient): Promise<Answered> => world.signedIn(client, url(), 'ada@example.com');

async function machineToken(client: TestClient, slug: string): Promise<string> {
  const fields = { grant_type: 'client_credentials', resource: `${world.url}/t/${slug}/mcp` };
  return String((await world.token(client, fields)).body['access_token']);
}

function ask(path: string, { client_id: id, client_secret: secret }: TestClient, token: unknown): Promise<Answered> {
  const credential = secret === undefined ? {} : { client_secret: secret };
  return postForm(world, path, { client_id: id, ...credential, token: String(token) });
}

const introspect = (client: TestClient, token: unknown): Promise<Answered> => ask('/auth/introspect', client, token);
const revoke = (client: TestClient, token: unknown): Promise<Answered> => ask('/auth/revoke', client, token);
const INACTIVE = { active: false };

describe('introspection (O-26)', () => {
  test('tells a client of the tenant about a person’s access token', async () => {
    const { body } = await tokensOf(app);
    const answer = await introspect(resourceServer, body['access_token']);
    const { sub, exp, iat } = decodeJwt(String(body['access_token']));
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(answer.body).toEqual({
      active: true,
      iss: `${world.url}/auth`,
      aud: url(),
      sub,
      exp,
      iat,
      client_id: app.client_id,
      scope: 'mcp:read',
      tenant: acme,
      token_type: 'Bearer',
    });
  });

  test('tells a machine client about its own token', async () => {
    const answer = await introspect(resourceServer, await machineToken(resourceServer, 'acme'));
    const { client_id: id } = resourceServer;
    expect(answer.body).toMatchObject({ active: true, sub: id, client_id: id, tenant: acme });
  });

  test('shows a foreign tenant’s token as inactive, in the same words as one that never was', async () => {
    const { body } = await tokensOf(app);
    const seen = [
      await introspect(stranger, body['access_token']),
      await introspect(stranger, body['refresh_token']),
      await introspect(stranger, await machineToken(resourceServer, 'acme')),
      await introspect(stranger, 'no-token'),
      await introspect(stranger, `${String(body['access_token']).slice(0, -6)}AAAAAA`),
      await introspect(resourceServer, await machineToken(stranger, 'globex')),
    ];
    expect(seen.map(({ status, body: answer }) => [status, answer])).toEqual(seen.map(() => [200, INACTIVE]));
  });

  test('shows an app that registered itself its own tokens alone', async () => {
    const confidential = await world.register({ ...WEB_CLIENT, token_endpoint_auth_method: 'client_secret_post' });
    const own = (await tokensOf(confidential)).body;
    const others = (await tokensOf(app)).body;
    expect((await introspect(confidential, own['access_token'])).body['active']).toBe(true);
    expect((await introspect(confidential, own['refresh_token'])).body['active']).toBe(true);
    expect((await introspect(confidential, others['access_token'])).body).toEqual(INACTIVE);
    expect((await introspect(resourceServer, others['refresh_token'])).body).toEqual(INACTIVE);
  });

  test('without credentials is refused, for a good token as for a bad one', async () => {
    const { body } = await tokensOf(app);
    for (const token of [body['access_token'], 'no-token']) {
      for (const client of [app, { client_id: resourceServer.client_id }, { client_id: 'nobody' }]) {
        const answer = await introspect(client, token);
        expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_client']);
        expect(answer.headers.get('www-authenticate')).toContain('Basic');
      }
    }
    expect((await postForm(world, '/auth/introspect', { token: 'x' })).status).toBe(401);
    const guessed = { ...resourceServer, client_secret: 'guessed' };
    expect((await introspect(guessed, body['access_token'])).status).toBe(401);
  });

  test('shows a token as inactive when its grant was revoked or its client is gone', async () => {
    const { body } = await tokensOf(app);
    const { gid } = decodeJwt(String(body['access_token']));
    await world.owner.query(`update grants set revoked_at = now() where id = $1`, [gid]);
    expect((await introspect(resourceServer, body['access_token'])).body).toEqual(INACTIVE);
    const machine = await addClient(world, acme);
    const token = await machineToken(machine, 'acme');
    await world.owner.query(`update clients set enabled = false where id = $1`, [machine.client_id]);
    expect((await introspect(resourceServer, token)).body).toEqual(INACTIVE);
  });
});

describe('revocation (O-25)', () => {
  test('of an access token ends its grant: neither it nor its refresh token works', async () => {
    const { body } = await tokensOf(app);
    expect((await revoke(app, body['access_token'])).status).toBe(200);
    expect((await introspect(resourceServer, body['access_token'])).body).toEqual(INACTIVE);
    expect((await world.refresh(app, body['refresh_token'], url())).body['error']).toBe('invalid_grant');
    const { gid } = decodeJwt(String(body['access_token']));
    const { rows } = await world.owner.query(`select revoked_at is not null as revoked from grants where id = $1`, [
      gid,
    ]);
    expect(rows).toEqual([{ revoked: true }]);
  });

  test('with a token of another client leaves it alive', async () => {
    const { body } = await tokensOf(app);
    for (const token of [body['access_token'], body['refresh_token']]) {
      expect((await revoke(resourceServer, token)).status).toBe(200);
    }
    expect((await introspect(resourceServer, body['access_token'])).body['active']).toBe(true);
    expect((await world.refresh(app, body['refresh_token'], url())).status).toBe(200);
  });

  test('of an unknown token is fine, and without a token is not', async () => {
    expect((await revoke(app, 'never-was')).status).toBe(200);
    expect((await revoke(app, '')).body['error']).toBe('invalid_request');
  });

  test('of a machine’s token says that it cannot be, for only its client can be ended', async () => {
    const token = await machineToken(resourceServer, 'acme');
    const answer = await revoke(resourceServer, token);
    expect([answer.status, answer.body['error']]).toEqual([400, 'unsupported_token_type']);
    expect((await introspect(resourceServer, token)).body['active']).toBe(true);
  });
});
