import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { toAppError } from '#libs/errors';
import { AccessTokenVerifier } from './access-token.js';

const issuer = 'https://auth.example';
const audience = 'https://wharf.example/t/acme/mcp';
const claims: JWTPayload = {
  client_id: 'client',
  tenant: '0190aaaa-0000-7000-8000-000000000000',
  scope: 'mcp',
  jti: 'j',
};

let server: Server;
let verifier: AccessTokenVerifier;
let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
let publicJwk: string;
let publicPem: string;
let fetches = 0;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256', { extractable: true });
  privateKey = pair.privateKey;
  const jwk = await exportJWK(pair.publicKey);
  publicJwk = JSON.stringify(jwk);
  publicPem = await exportSPKI(pair.publicKey);
  let url: string;
  [server, url] = await listen((_, response) => {
    fetches += 1;
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ keys: [{ ...jwk, kid: 'k1', alg: 'ES256', use: 'sig' }] }));
  });
  verifier = new AccessTokenVerifier({ issuer, jwksUrl: `${url}/jwks` });
});

afterAll(() => {
  server.close();
});

async function listen(answer: RequestListener): Promise<[Server, string]> {
  const listening = createServer(answer);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo; // a TCP server's address
  return [listening, `http://127.0.0.1:${port}`];
}

interface Minted {
  readonly header?: Record<string, unknown>;
  readonly payload?: JWTPayload;
  readonly audience?: string;
  readonly issuer?: string;
  readonly expires?: string;
}

function mint(change: Minted = {}, key = privateKey): Promise<string> {
  return new SignJWT({ ...claims, ...change.payload })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt', ...change.header })
    .setIssuer(change.issuer ?? issuer)
    .setAudience(change.audience ?? audience)
    .setSubject('person')
    .setIssuedAt()
    .setExpirationTime(change.expires ?? '10m')
    .sign(key);
}

async function codeOf(token: string): Promise<string> {
  return verifier.verify(token, audience).then(
    () => 'accepted',
    (error: unknown) => toAppError(error).code,
  );
}

test('accepts an access token minted for exactly this URL', async () => {
  await expect(verifier.verify(await mint(), audience)).resolves.toMatchObject({ sub: 'person', client_id: 'client' });
});

test.each<[string, Minted]>([
  ['O-21 another audience', { audience: 'https://wharf.example/t/other/mcp' }],
  ['another issuer', { issuer: 'https://evil.example' }],
  ['an expired token', { expires: '-1m' }],
  ['O-23 an id token', { header: { typ: 'JWT' } }],
  ['O-23 a logout token', { header: { typ: 'logout+jwt' } }],
  ['a token without a tenant', { payload: { tenant: undefined } }],
])('refuses %s', async (_, change) => {
  expect(await codeOf(await mint(change))).toBe('unauthenticated');
});

test('O-22 refuses alg none', async () => {
  const [header, body] = [
    { alg: 'none', typ: 'at+jwt' },
    { ...claims, iss: issuer, aud: audience, sub: 'x', exp: 9_999_999_999 },
  ];
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  expect(await codeOf(`${encode(header)}.${encode(body)}.`)).toBe('unauthenticated');
});

test.each<[string, () => string]>([
  ['as JSON', () => publicJwk],
  ['as PEM', () => publicPem],
  ['as PEM after white space', () => `\n \t${publicPem}`],
])('O-22 refuses HS256 keyed with the public key %s', async (_, secret) => {
  const hmac = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', kid: 'k1', typ: 'at+jwt' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject('person')
    .setExpirationTime('10m')
    .sign(Buffer.from(secret()));
  expect(await codeOf(hmac)).toBe('unauthenticated');
});

test('O-22 neither takes a key that a token brings nor asks where a token says that one is', async () => {
  const stranger = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(stranger.publicKey);
  let asked = 0;
  const [elsewhere, url] = await listen((_, response) => {
    asked += 1;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [{ ...jwk, kid: 'k1' }] }));
  });
  for (const header of [{ jku: `${url}/jwks` }, { x5u: `${url}/chain` }, { jwk }, { jwk, jku: url, x5u: url }])
    expect(await codeOf(await mint({ header }, stranger.privateKey))).toBe('unauthenticated');
  expect(asked).toBe(0);
  elsewhere.close();
});

test('O-22, O-39 a flood of unknown key ids, paths and SQL among them, fetches the key set no more than once', async () => {
  await codeOf(await mint());
  const before = fetches;
  for (const kid of ['../../dev/null', `'; drop table signing_keys`, 'a', 'b', 'c']) {
    expect(await codeOf(await mint({ header: { kid } }))).toBe('unauthenticated');
  }
  expect(fetches - before).toBeLessThanOrEqual(1);
});
