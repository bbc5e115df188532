import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { callRaw, signUp } from '#libs/journey';
import { startWharf, until, type Wharf } from '#libs/testing';

let wharf: Wharf;
let a: Tenant;
let b: Tenant;

interface Tenant {
  readonly url: string;
  readonly key: string;
}

interface Machine {
  readonly client: { readonly client_id: string };
  readonly client_secret: string;
}

beforeAll(async () => {
  wharf = await startWharf();
  [a, b] = [await openTenant('machine-a'), await openTenant('machine-b')];
});
afterAll(() => wharf.stop());

async function openTenant(slug: string): Promise<Tenant> {
  const { api_key: key } = await signUp(wharf.url, {
    tenantName: slug,
    slug,
    email: `owner@${slug}.example`,
    password: `${slug} correct horse battery`,
  });
  return { url: `${wharf.url}/t/${slug}/mcp`, key: key.text };
}

async function manage({ key }: Tenant, method: string, path: string, body?: object): Promise<Response> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = {
    authorization: `Bearer ${key}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  return fetch(`${wharf.url}/v1/clients${path}`, { method, headers, ...json });
}

async function register(tenant: Tenant): Promise<Machine> {
  const answer = await manage(tenant, 'POST', '', { kind: 'machine', name: 'Nightly report' });
  expect(answer.status).toBe(201);
  return (await answer.json()) as Machine; // as the API's document says
}

async function ask({ client, client_secret: secret }: Machine, resource: string, headers: object = {}) {
  const answer = await fetch(`${wharf.url}/auth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client.client_id}:${secret}`).toString('base64')}`, ...headers },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
  });
  const body: unknown = await answer.json();
  return { status: answer.status, body: body as Record<string, string> }; // a token, or an OAuth error
}

describe('a machine agent of a tenant', () => {
  test('is registered, calls as itself, and is stopped when it is deleted', async () => {
    const machine = await register(a);
    const { body } = await ask(machine, a.url);
    const list = (): Promise<number> =>
      callRaw({ url: a.url, method: 'tools/list', bearer: String(body['access_token']) }).then(({ status }) => status);
    expect(await list()).toBe(200);
    expect((await manage(a, 'DELETE', `/${machine.client.client_id}`)).status).toBe(204);
    await until(async () => (await list()) !== 200, 'a refusal');
    expect(await list()).toBe(401);
    expect((await ask(machine, a.url)).body['error']).toBe('invalid_client');
  });

  test('gets nothing at another tenant, whose owner cannot see it', async () => {
    const machine = await register(a);
    expect((await ask(machine, b.url)).body['error']).toBe('invalid_target');
    expect((await manage(b, 'GET', `/${machine.client.client_id}`)).status).toBe(404);
    const { body } = await ask(machine, a.url);
    const answer = await callRaw({ url: b.url, method: 'tools/list', bearer: String(body['access_token']) });
    expect(answer.status).toBe(401);
  });

  test('with a token that is bound to its key calls with a proof of it alone', async () => {
    const machine = await register(a);
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwk = await exportJWK(publicKey);
    const prove = (htu: string, token?: string): Promise<string> =>
      new SignJWT({
        htm: 'POST',
        htu,
        jti: randomUUID(),
        ...(token === undefined ? {} : { ath: createHash('sha256').update(token).digest('base64url') }),
      })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .sign(privateKey);
    const { body } = await ask(machine, a.url, { dpop: await prove(`${wharf.url}/auth/token`) });
    expect(body['token_type']).toBe('DPoP');
    const token = body['access_token'] ?? '';
    const dpop = await prove(a.url, token);
    const statusWith = async (headers: Record<string, string>): Promise<number> =>
      (await callRaw({ url: a.url, method: 'tools/list', headers })).status;
    expect(await statusWith({ authorization: `DPoP ${token}`, dpop })).toBe(200);
    expect(await statusWith({ authorization: `DPoP ${token}`, dpop })).toBe(401);
    expect(await statusWith({ authorization: `Bearer ${token}` })).toBe(401);
  });
});
