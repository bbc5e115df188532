import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { jwtVerify } from 'jose';
import { modernUpstream } from './remote-new-upstreams.fixture.js';
import { RemoteStage } from './remote-stage.fixture.js';

const AUDIENCE = 'https://login.example';
const TOKEN = 'SECRET-token';
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let stage: RemoteStage;
/** What the authorization server was asked. */
const asked: Array<{ readonly authorization: string | undefined; readonly form: URLSearchParams }> = [];
/** An authorization server that judges a client's JWT as RFC 7523, 3 wants it. */
const authority = createServer((request, response) => {
  void request.toArray().then(async (parts) => {
    const form = new URLSearchParams(Buffer.concat(parts).toString());
    asked.push({ authorization: request.headers.authorization, form });
    response.setHeader('content-type', 'application/json');
    const wanted = { issuer: 'agent', subject: 'agent', audience: AUDIENCE, requiredClaims: ['jti', 'exp', 'iat'] };
    try {
      await jwtVerify(form.get('client_assertion') ?? '', keys.publicKey, wanted);
      response.end(JSON.stringify({ access_token: TOKEN, token_type: 'Bearer', expires_in: 3_600 }));
    } catch {
      response.writeHead(401).end(JSON.stringify({ error: 'invalid_client' }));
    }
  });
});
const upstream = modernUpstream('far');

beforeAll(async () => {
  stage = await RemoteStage.open();
  await upstream.start();
  upstream.inPlace = ({ headers }, response) => {
    if (headers.authorization === `Bearer ${TOKEN}`) return false;
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    return true;
  };
  await new Promise<void>((resolve) => authority.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  authority.closeAllConnections();
  authority.close();
  await upstream.stop();
  await stage.close();
});
beforeEach(() => {
  asked.length = 0;
  upstream.asked.length = 0;
});

/** An upstream whose client proves itself by the key in a secret, and the tenant that has it. */
function withKey(value: string, audience = AUDIENCE): [string, object[]] {
  const { port } = authority.address() as AddressInfo; // it listens on TCP
  const tokenUrl = `http://127.0.0.1:${port}/token`;
  const client = { kind: 'client_credentials', tokenUrl, clientId: 'agent', secret: 'client' };
  const auth = { ...client, method: 'private_key_jwt', audience };
  return [stage.tenant([upstream.port, port], { client: value }), [{ name: 'far', url: upstream.url, auth }]];
}

test('a client proves itself with its private key, in each form that a secret can have', async () => {
  const pem = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const jwk = { ...keys.privateKey.export({ format: 'jwk' }), kid: 'k1' };
  for (const secret of [pem.trim().replaceAll('\n', '\\n'), JSON.stringify(jwk)]) {
    const route = await stage.publish(...withKey(secret));
    const called = await route.modern('tools/call', { name: 'hello', arguments: { who: 'Ann' } });
    expect(called.rpc.result.content[0]?.text).toBe('Hello Ann from far');
  }
  const [form] = asked.map((one) => Object.fromEntries(one.form));
  expect(form).toMatchObject({ client_id: 'agent', client_assertion_type: expect.stringContaining('jwt-bearer') });
  expect(new Set(asked.map((one) => one.form.get('client_assertion'))).size).toBe(asked.length);
  expect(asked.every(({ authorization }) => authorization === undefined)).toBe(true);
});

test('what is no private key, or another’s, is refused when the release is built, and sent nowhere', async () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey.export({ format: 'jwk' });
  const message = expect.stringMatching(/The secret .* is no private key that can sign/);
  for (const secret of ['SECRET-of-a-kind', '{}', JSON.stringify(weak)])
    await expect(stage.build(...withKey(secret))).rejects.toMatchObject({
      problems: [{ pointer: '/upstreams/0/url', message }],
    });
  expect(asked).toEqual([]);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  const invalid = { problems: [{ message: expect.stringContaining('invalid_client') }] };
  await expect(stage.build(...withKey(JSON.stringify(other)))).rejects.toMatchObject(invalid);
  const own = JSON.stringify(keys.privateKey.export({ format: 'jwk' }));
  await expect(stage.build(...withKey(own, 'https://elsewhere.example'))).rejects.toMatchObject(invalid);
  expect(upstream.asked).toEqual([]);
});
