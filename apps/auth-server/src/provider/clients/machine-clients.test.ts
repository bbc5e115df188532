import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeJwt } from 'jose';
import { hashClientSecret, mintClientId, mintClientSecret } from '#libs/identity';
import { AuthWorld, WEB_CLIENT } from '../../testing/auth-world.fixture.js';
import { addClient, basic, postForm } from '../../testing/tenant-clients.fixture.js';

let world: AuthWorld;
let acme: string;
let globex: string;

beforeAll(async () => {
  world = await AuthWorld.open();
  acme = await world.addTenant('acme');
  globex = await world.addTenant('globex');
  await world.addServer(acme, 'orders');
  await world.addPerson('ada@example.com', { [acme]: 'owner', [globex]: 'owner' });
});
afterAll(async () => world.close());

const urlOf = (slug: string): string => `${world.url}/t/${slug}/mcp`;
const ASK = { grant_type: 'client_credentials' };

describe('a machine client of a tenant', () => {
  test('gets a token for one URL of its tenant, as itself and within its scopes (O-24)', async () => {
    const machine = await addClient(world, acme);
    const answer = await world.token(machine, { ...ASK, resource: urlOf('acme') });
    expect([answer.status, answer.body]).toMatchObject([200, { token_type: 'Bearer', scope: 'mcp', expires_in: 600 }]);
    const claims = decodeJwt(String(answer.body['access_token']));
    const id = machine.client_id;
    const issued = { aud: urlOf('acme'), sub: id, client_id: id, tenant: acme, scope: 'mcp' };
    expect(claims).toMatchObject({ iss: `${world.url}/auth`, ...issued });
    // A person's `sub` is a UUID, which no client's id can be.
    expect(claims.sub).toMatch(/^wcl_[\w-]{44}$/);
    expect(answer.body).not.toHaveProperty('refresh_token');
  });

  test('is in its tenant’s log, and its last use is known', async () => {
    const { client_id: id, ...machine } = await addClient(world, acme);
    await world.token({ client_id: id, ...machine }, { ...ASK, resource: `${world.url}/t/acme/orders/mcp` });
    const { rows } = await world.owner.query(
      `select a.actor, c.last_used_at is not null as used from audit_records a, clients c
       where a.event = 'token.issued' and a.actor ->> 'id' = $1 and c.id = $1`,
      [id],
    );
    expect(rows).toEqual([{ actor: { kind: 'client', id }, used: true }]);
  });

  test.each<[string, readonly string[]]>([
    ['no resource (O-20)', []],
    ['two of its tenant', ['/t/acme/mcp', '/t/acme/orders/mcp']],
    ['another tenant’s URL', ['/t/globex/mcp']],
    ['a URL that names nothing', ['/t/nobody/mcp']],
  ])('asking for %s gets invalid_target and no token', async (_, paths) => {
    const { client_id: id, client_secret: secret = '' } = await addClient(world, acme);
    const fields = new URLSearchParams({ ...ASK, client_id: id, client_secret: secret });
    for (const path of paths) fields.append('resource', `${world.url}${path}`);
    const answer = await postForm(world, '/auth/token', fields);
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_target']);
  });

  test('is told of another tenant’s URL what it is told of one that does not exist', async () => {
    const machine = await addClient(world, acme);
    const [foreign, absent] = await Promise.all(
      ['globex', 'nobody'].map((slug) => world.token(machine, { ...ASK, resource: urlOf(slug) })),
    );
    expect(foreign?.body).toEqual(absent?.body);
  });

  test.each<[string, Record<string, string>]>([
    ['the management API’s', { resource: '/v1/tenants/acme' }],
    ['another’s', { resource: '/t/acme/mcp', scope: 'management' }],
    ['more than its own', { resource: '/t/acme/mcp', scope: 'mcp management' }],
    ['a session that outlives it', { resource: '/t/acme/mcp', scope: 'mcp offline_access' }],
  ])('asking for %s scope gets invalid_scope', async (_, { resource = '', ...fields }) => {
    const machine = await addClient(world, acme);
    const answer = await world.token(machine, { ...ASK, ...fields, resource: `${world.url}${resource}` });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_scope']);
  });

  test('gets what its tenant gave it at the URL, or less where it asks for less', async () => {
    await world.owner.query(`update servers set writes = true where tenant_id = $1 and slug = 'orders'`, [acme]);
    const machine = await addClient(world, acme, { scopes: ['orders:write', 'billing:read'] });
    const url = `${world.url}/t/acme/orders/mcp`;
    const scopeOf = async (fields: Readonly<Record<string, string>>): Promise<unknown> => {
      const { body } = await world.token(machine, { grant_type: 'client_credentials', resource: url, ...fields });
      return body['error'] ?? body['scope'];
    };
    expect(await scopeOf({})).toBe('orders:write');
    expect(await scopeOf({ scope: 'orders:read' })).toBe('orders:read');
    expect(await scopeOf({ scope: 'mcp:read' })).toBe('invalid_scope');
    expect(await scopeOf({ scope: 'mcp' })).toBe('invalid_scope');
  });

  test('that was given no scope gets no token', async () => {
    const machine = await addClient(world, acme, { scopes: [] });
    const answer = await world.token(machine, { ...ASK, resource: urlOf('acme') });
    expect(answer.body['error']).toBe('invalid_scope');
  });

  test.each([
    ['disabled', `update clients set enabled = false where id = $1`],
    ['deleted', `delete from clients where id = $1`],
  ])('is not known any more once it is %s', async (_, sql) => {
    const machine = await addClient(world, acme);
    await world.owner.query(sql, [machine.client_id]);
    const answer = await world.token(machine, { ...ASK, resource: urlOf('acme') });
    expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_client']);
  });

  test('cannot take another tenant’s client by its id', async () => {
    const machine = await addClient(world, acme);
    // As if globex had a client of this very id: it is only ever looked up in acme.
    const id = mintClientId(acme);
    const secret = mintClientSecret();
    await world.owner.query(
      `insert into clients (tenant_id, id, kind, name, auth_method, redirect_uris, scopes, secret_hash)
       values ($1, $2, 'machine', 'x', 'client_secret_post', '{}', '{mcp}', $3)`,
      [globex, id, secret.hash],
    );
    const stolen = { ...machine, client_id: id, client_secret: secret.text };
    for (const slug of ['acme', 'globex']) {
      expect((await world.token(stolen, { ...ASK, resource: urlOf(slug) })).status).toBe(401);
    }
  });
});

describe('a client’s secret', () => {
  test('is stored as a hash only, which is no secret itself, and goes in the header or the body as registered', async () => {
    const machine = await addClient(world, acme);
    const hash = hashClientSecret(machine.client_secret ?? '');
    for (const wrong of [hash, `sha256:${hash}`, `${machine.client_secret}x`, '']) {
      const answer = await world.token({ ...machine, client_secret: wrong }, { ...ASK, resource: urlOf('acme') });
      expect(answer.body['error']).toBe('invalid_client');
    }
    const inHeader = await addClient(world, acme, { auth_method: 'client_secret_basic' });
    const fields = { ...ASK, resource: urlOf('acme') };
    expect((await postForm(world, '/auth/token', fields, { authorization: basic(inHeader) })).status).toBe(200);
  });

  test('that was rotated is good for the overlap, beside the new one, and no longer', async () => {
    const machine = await addClient(world, acme);
    const next = mintClientSecret();
    const rotate = (until: string): Promise<unknown> =>
      world.owner.query(
        `update clients set secret_hash = $2, previous_secret_hash = $3, previous_secret_expires_at = now() + $4::interval
         where id = $1`,
        [machine.client_id, next.hash, hashClientSecret(machine.client_secret ?? ''), until],
      );
    const statusWith = async (secret: string): Promise<number> =>
      (await world.token({ ...machine, client_secret: secret }, { ...ASK, resource: urlOf('acme') })).status;
    await rotate('1 hour');
    expect([await statusWith(machine.client_secret ?? ''), await statusWith(next.text)]).toEqual([200, 200]);
    await rotate('-1 second');
    expect([await statusWith(machine.client_secret ?? ''), await statusWith(next.text)]).toEqual([401, 200]);
  });

  test('of a client that registered itself is stored as a hash too, and works', async () => {
    const client = await world.register({ token_endpoint_auth_method: 'client_secret_post' });
    const location = await world.authorize(client, urlOf('acme'), 'ada@example.com');
    const answer = await world.redeem(client, location.searchParams.get('code'), urlOf('acme'));
    expect(answer.status).toBe(200);
    const wrong = { ...client, client_secret: `${client.client_secret}x` };
    expect((await world.refresh(wrong, answer.body['refresh_token'], urlOf('acme'))).status).toBe(401);
    expect((await world.refresh(client, answer.body['refresh_token'], urlOf('acme'))).status).toBe(200);
  });
});

describe('an app that a tenant registered', () => {
  test.each(['public', 'confidential'] as const)('(%s) signs people in at its tenant’s URLs', async (kind) => {
    const method = kind === 'public' ? 'none' : 'client_secret_post';
    const client = await addClient(world, acme, { kind, auth_method: method, ...WEB_CLIENT });
    const answer = await world.signedIn(client, urlOf('acme'), 'ada@example.com');
    expect([answer.status, answer.body['scope']]).toEqual([200, 'mcp:read']);
    expect((await world.refresh(client, answer.body['refresh_token'], urlOf('acme'))).status).toBe(200);
  });

  test('is refused another tenant’s URL before anybody is asked, whoever they are', async () => {
    const client = await addClient(world, acme, { kind: 'public', auth_method: 'none', ...WEB_CLIENT });
    const page = await world.browser().open(world.authorizeUrl(client, urlOf('globex')));
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    expect(page.text).toContain('not a tenant URL');
  });

  test('is refused a redirect URI that differs from the registered one (O-01)', async () => {
    const client = await addClient(world, acme, { kind: 'public', auth_method: 'none', ...WEB_CLIENT });
    for (const uri of [
      'https://app.example/callback/',
      'https://app.example/callback?x=1',
      'https://evil.example/callback',
    ]) {
      const page = await world.browser().open(world.authorizeUrl(client, urlOf('acme'), { redirect_uri: uri }));
      expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    }
  });
});
