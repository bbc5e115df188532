import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { INITIALIZE, legacy, modern, send, type Answer } from '../requests.fixture.js';

type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;
let key: { readonly privateKey: PrivateKey; readonly jwk: JWK };
let token: string;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  acme = await gateway.tenant('acme', { find: 'https://api.example.com/find' });
  key = await newKey();
  token = await gateway.token(acme, acme.url, { cnf: { jkt: await calculateJwkThumbprint(key.jwk) } });
});
afterAll(() => gateway.stop());

async function newKey() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return { privateKey, jwk: await exportJWK(publicKey) };
}

/** A proof of the token's key for a POST to the tenant URL, with what differs. */
function prove(claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, by = key): Promise<string> {
  return new SignJWT({
    htm: 'POST',
    htu: acme.url,
    ath: createHash('sha256').update(token).digest('base64url'),
    jti: randomUUID(),
    iat: Math.floor(Date.now() / 1_000),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: by.jwk, ...header })
    .sign(by.privateKey);
}

function list(authorization: string, proof?: string): Promise<Answer> {
  const { headers, body } = modern('tools/list');
  return send(acme.url, {
    headers: { ...headers, authorization, ...(proof === undefined ? {} : { dpop: proof }) },
    body,
  });
}

const challengeOf = (answer: Answer): string => String(answer.headers['www-authenticate']);

describe('a token that is bound to a key', () => {
  test('opens its URL with a proof of the key, and each proof once (RFC 9449)', async () => {
    const proof = await prove();
    expect((await list(`DPoP ${token}`, proof)).status).toBe(200);
    const again = await list(`DPoP ${token}`, proof);
    expect([again.status, challengeOf(again)]).toEqual([
      401,
      expect.stringMatching(/^DPoP error="invalid_dpop_proof"/),
    ]);
    expect((await list(`dpop ${token}`, await prove())).status).toBe(200);
  });

  test('is refused as a plain bearer token, with or without a proof', async () => {
    for (const proof of [undefined, await prove()]) {
      const answer = await list(`Bearer ${token}`, proof);
      expect([answer.status, challengeOf(answer)]).toEqual([
        401,
        expect.stringMatching(/^DPoP error="invalid_token".* algs="ES256 EdDSA PS256 RS256".*resource_metadata="/),
      ]);
    }
  });

  test.each<[string, () => Promise<string>]>([
    ['nothing', async () => ''],
    ['no JWT', async () => 'proof'],
    ['of another method', () => prove({ htm: 'GET' })],
    ['of another URL', () => prove({ htu: acme.serverUrl })],
    ['of another token', () => prove({ ath: createHash('sha256').update('other').digest('base64url') })],
    ['without the token’s hash', () => prove({ ath: undefined })],
    ['without an id', () => prove({ jti: undefined })],
    ['of another type', () => prove({}, { typ: 'JWT' })],
    ['of another key', async () => prove({}, {}, await newKey())],
    ['that names the key and is signed by another', async () => prove({}, { jwk: key.jwk }, await newKey())],
  ])('is refused with a proof %s', async (_, proof) => {
    const answer = await list(`DPoP ${token}`, await proof());
    expect([answer.status, challengeOf(answer)]).toEqual([401, expect.stringContaining('error="invalid_dpop_proof"')]);
    expect(answer.headers['dpop-nonce']).toBeUndefined();
  });

  test.each([-3_600, 3_600])('with a clock that is %d s off, is opened by the nonce that it is given', async (off) => {
    const iat = Math.floor(Date.now() / 1_000) + off;
    const refused = await list(`DPoP ${token}`, await prove({ iat }));
    expect([refused.status, challengeOf(refused)]).toEqual([401, expect.stringContaining('error="use_dpop_nonce"')]);
    const nonce = String(refused.headers['dpop-nonce']);
    expect((await list(`DPoP ${token}`, await prove({ iat, nonce }))).status).toBe(200);
  });

  test('is refused with a nonce that we never gave', async () => {
    const answer = await list(`DPoP ${token}`, await prove({ nonce: 'x'.repeat(43) }));
    expect([answer.status, challengeOf(answer)]).toEqual([401, expect.stringContaining('error="use_dpop_nonce"')]);
  });

  test('of many requests at once with one proof, opens one', async () => {
    const proof = await prove();
    const answers = await Promise.all(Array.from({ length: 20 }, () => list(`DPoP ${token}`, proof)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('keeps an open stream open: its proof counts on', async () => {
    const opened = legacy(INITIALIZE);
    const authorization = `DPoP ${token}`;
    const session = await send(acme.url, {
      ...opened,
      headers: { ...opened.headers, authorization, dpop: await prove() },
    });
    expect(session.status).toBe(200);
    const controller = new AbortController();
    const stream = await fetch(acme.url, {
      signal: controller.signal,
      headers: {
        authorization,
        dpop: await prove({ htm: 'GET' }),
        accept: 'text/event-stream',
        'mcp-protocol-version': '2025-11-25',
        'mcp-session-id': String(session.headers['mcp-session-id']),
      },
    });
    expect(stream.status).toBe(200);
    controller.abort();
  });
});

test('a token that is bound to no key is refused as one that is', async () => {
  const plain = await gateway.token(acme, acme.url);
  const ath = createHash('sha256').update(plain).digest('base64url');
  const answer = await list(`DPoP ${plain}`, await prove({ ath }));
  expect([answer.status, challengeOf(answer)]).toEqual([401, expect.stringMatching(/^DPoP error="invalid_token"/)]);
});

test('the resource’s metadata says that proofs are taken, and the management API’s does not', async () => {
  const at = async (path: string): Promise<unknown> =>
    (await fetch(`${gateway.origin}/.well-known/oauth-protected-resource${path}`)).json();
  expect(await at('/t/acme/mcp')).toMatchObject({
    dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'PS256', 'RS256'],
  });
  expect(await at('/v1/tenants/acme')).not.toHaveProperty('dpop_signing_alg_values_supported');
});
