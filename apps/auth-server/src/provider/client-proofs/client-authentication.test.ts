import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AuthWorld, type Answered, type TestClient } from '../../testing/auth-world.fixture.js';
import { assertionOf, newKey, type TestKey } from '../../testing/client-keys.fixture.js';
import { addClient, basic, postForm } from '../../testing/tenant-clients.fixture.js';

let world: AuthWorld;
let acme: string;

beforeAll(async () => {
  world = await AuthWorld.open({ WHARF_TRUST_PROXY: 'true' });
  acme = await world.addTenant('acme');
});
afterAll(async () => world.close());

/** Asks for a machine's token, each time from an address of its own unless it is said. */
let asked = 0;
function ask(
  fields: Record<string, string>,
  headers: Record<string, string> = {},
  address?: string,
): Promise<Answered> {
  asked += 1;
  const forwarded = { 'x-forwarded-for': address ?? `198.51.100.${asked}` };
  const grant = { grant_type: 'client_credentials', resource: `${world.url}/t/acme/mcp` };
  return postForm(world, '/auth/token', { ...grant, ...fields }, { ...forwarded, ...headers });
}

describe('a client that authenticates by its key (private_key_jwt)', () => {
  let key: TestKey;
  let client: TestClient;
  let issuer: string;

  beforeAll(async () => {
    key = await newKey();
    client = await addClient(world, acme, { auth_method: 'private_key_jwt', key_set: { keys: [key.jwk] } });
    issuer = `${world.url}/auth`;
  });

  test.each(['', '/token'])('gets a token with an assertion for the issuer%s', async (path) => {
    expect((await ask(await assertionOf(key, client.client_id, `${issuer}${path}`))).status).toBe(200);
  });

  test.each(['PS256', 'RS256', 'Ed25519'])('may sign with %s', async (alg) => {
    const other = await newKey(alg);
    const keySet = { keys: [other.jwk] };
    const { client_id: id } = await addClient(world, acme, { auth_method: 'private_key_jwt', key_set: keySet });
    const now = Math.floor(Date.now() / 1_000);
    const claims = { iss: id, sub: id, aud: issuer, jti: 'one', iat: now, exp: now + 60 };
    const header = alg === 'Ed25519' ? { alg: 'EdDSA' } : {};
    const fields = await assertionOf(other, id, issuer);
    expect((await ask({ ...fields, client_assertion: await other.sign(claims, header) })).status).toBe(200);
  });

  test('is refused an assertion that was used before, of many at once all but one', async () => {
    const fields = await assertionOf(key, client.client_id, issuer);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(fields)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await ask(fields)).body['error']).toBe('invalid_client');
  });

  test.each<[string, Record<string, unknown>]>([
    ['of another audience', { aud: 'https://other.example' }],
    ['that has expired', { exp: 1_000 }],
    ['that lives longer than an hour', { exp: Math.floor(Date.now() / 1_000) + 3 * 60 * 60 }],
    ['without an end', { exp: undefined }],
    ['without an id', { jti: undefined }],
    ['of another issuer', { iss: 'somebody' }],
    ['of another client', { sub: 'somebody' }],
  ])('is refused an assertion %s', async (_, changes) => {
    const answer = await ask(await assertionOf(key, client.client_id, issuer, changes));
    expect(['invalid_client', 'invalid_request']).toContain(answer.body['error']);
    expect([400, 401]).toContain(answer.status);
  });

  test('is refused an assertion of another key, or of no algorithm', async () => {
    const forged = await assertionOf(await newKey(), client.client_id, issuer);
    expect((await ask(forged)).body['error']).toBe('invalid_client');
    const [, payload = ''] = (await assertionOf(key, client.client_id, issuer))['client_assertion']?.split('.') ?? [];
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    const unsigned = { ...forged, client_assertion: `${header}.${payload}.` };
    expect((await ask(unsigned)).body['error']).toBe('invalid_client');
  });

  test('is refused without one, and with a secret', async () => {
    expect((await ask({ client_id: client.client_id })).body['error']).toBe('invalid_client');
    expect((await ask({ client_id: client.client_id, client_secret: 'x' })).body['error']).toBe('invalid_client');
  });
});

describe('Basic credentials', () => {
  test.each([
    ['with a broken percent-encoding', () => 'Basic YSUlOmI='],
    ['with a broken percent-encoding in the secret', () => `Basic ${Buffer.from('a:%zz').toString('base64')}`],
    ['with too much padding', () => `Basic ${Buffer.from('ab:c').toString('base64')}==`],
    ['without a colon', () => `Basic ${Buffer.from('nocolon').toString('base64')}`],
    ['without a secret', () => `Basic ${Buffer.from('name:').toString('base64')}`],
    ['of the URL’s alphabet', () => 'Basic a_-x'],
    ['of nothing', () => 'Basic '],
    ['of another scheme', () => 'Bearer abc'],
  ])('%s are a failed authentication (O-41)', async (_, header) => {
    const answer = await ask({}, { authorization: header() });
    expect([answer.status, answer.body['error']]).toEqual([401, 'invalid_client']);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('beside credentials in the body are refused (O-18)', async () => {
    const client = await addClient(world, acme, { auth_method: 'client_secret_basic' });
    const inBody = { client_id: client.client_id, client_secret: client.client_secret ?? '' };
    const answer = await ask(inBody, { authorization: basic(client) });
    expect([answer.status, answer.body['error']]).toEqual([400, 'invalid_request']);
  });
});

describe('guessing a client’s secret (O-42)', () => {
  const guess = (id: string, address: string, path = '/auth/token'): Promise<Answered> =>
    postForm(
      world,
      path,
      { grant_type: 'client_credentials', token: 'x', client_id: id, client_secret: 'guessed' },
      { 'x-forwarded-for': address },
    );

  test('is held up after 20 failures of an address, at every endpoint, whether or not the client exists', async () => {
    const client = await addClient(world, acme);
    const answers: Answered[] = [];
    for (const id of [client.client_id, 'nobody']) {
      for (let tried = 0; tried < 20; tried += 1) {
        expect((await guess(id, '203.0.113.1', tried % 2 === 0 ? '/auth/token' : '/auth/introspect')).status).toBe(401);
      }
      for (const path of ['/auth/token', '/auth/introspect', '/auth/revoke', '/auth/par']) {
        answers.push(await guess(id, '203.0.113.1', path));
      }
    }
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 429));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    for (const { headers } of answers) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('gets no further with 60 guesses at once, while 60 that are right all get their token', async () => {
    const { client_id: id, client_secret: secret = '' } = await addClient(world, acme);
    const guesses = await Promise.all(Array.from({ length: 60 }, () => guess(id, '203.0.113.5')));
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(20);
    expect(guesses.filter(({ status }) => status === 429)).toHaveLength(40);
    const right = { client_id: id, client_secret: secret };
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(right, {}, '203.0.113.6')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  test('keeps neither the client out elsewhere, nor another client at that address', async () => {
    const [guessed, neighbour] = [await addClient(world, acme), await addClient(world, acme)];
    for (let tried = 0; tried < 20; tried += 1) await guess(guessed.client_id, '203.0.113.2');
    const statusOf = async ({ client_id: id, client_secret: secret = '' }: TestClient, address: string) =>
      (await ask({ client_id: id, client_secret: secret }, {}, address)).status;
    expect(await statusOf(guessed, '203.0.113.2')).toBe(429);
    expect(await statusOf(guessed, '203.0.113.3')).toBe(200);
    expect(await statusOf(neighbour, '203.0.113.2')).toBe(200);
  });

  test('under one name after the other is held up after 100', async () => {
    for (let tried = 0; tried < 100; tried += 1) await guess(`client-${tried}`, '203.0.113.4');
    expect((await guess('one-more', '203.0.113.4')).status).toBe(429);
  });
});
