import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectAgent, OperatorApi, signUp, WharfApi, type PersonAgent } from '#libs/journey';
import { startWharf, until, type Wharf } from '#libs/testing';
import { buildCli } from '../../scripts/build-cli.mjs';

const PERSON = { email: 'owner@stages.example', password: 'correct horse battery staple' };

let wharf: Wharf;
let upstream: Server;
let origin: string;
let program: string;
let key: string;
let api: WharfApi;
/** What each request to the upstream was authorized with. */
const authorizations: Array<string | undefined> = [];

beforeAll(async () => {
  upstream = createServer((request, response) => {
    authorizations.push(request.headers.authorization);
    response.setHeader('content-type', 'application/json').end('{"found": true}');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const { port } = upstream.address() as AddressInfo; // listening on TCP
  origin = `http://127.0.0.1:${port}`;
  [wharf, program] = await Promise.all([startWharf(), buildCli()]);
  key = (await signUp(wharf.url, { tenantName: 'Stages', slug: 'stages', ...PERSON })).api_key.text;
  api = new WharfApi({ publicUrl: wharf.url, apiKey: key });
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  await operator.allowEgress('stages', '127.0.0.1', port, 'the test’s own upstream');
});

afterAll(async () => {
  await wharf.stop();
  upstream.close();
});

const urlOf = (server: string): string => `${wharf.url}/t/stages/${server}/mcp`;
const connect = (server: string, protocol: 'default' | '2026-07-28' = 'default'): Promise<PersonAgent> =>
  connectAgent({ ...PERSON, url: urlOf(server), protocol });

async function manage(method: string, path: string, body: unknown): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return fetch(`${wharf.url}${path}`, { method, headers, body: JSON.stringify(body) });
}

const source = (text: string) => ({
  kind: 'http',
  credentials: [
    { id: 'k', secret: 'token', in: 'header', name: 'authorization', prefix: 'Bearer ', origins: [origin] },
  ],
  tools: [
    {
      name: 'find',
      description: text,
      annotations: { readOnlyHint: true },
      method: 'GET',
      url: `${origin}/find`,
      credentials: ['k'],
    },
  ],
});

const find = ({ client }: PersonAgent) => client.callTool({ name: 'find', arguments: {} });

async function cli(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], WHARF_URL: wharf.url, WHARF_API_KEY: key };
  return (await promisify(execFile)(process.execPath, [program, ...args], { env, timeout: 150_000 })).stdout;
}

/** Waits until a server's live release has a digest. */
async function untilLive(server: string, digest: string): Promise<void> {
  await until(async () => (await liveDigest(server)) === digest, `${server} serves ${digest}`);
}

async function liveDigest(server: string): Promise<unknown> {
  const answer = await fetch(`${wharf.url}/v1/servers/${server}`, { headers: { authorization: `Bearer ${key}` } });
  const { live_release: live } = (await answer.json()) as { live_release: { digest: string } | null }; // as documented
  return live?.digest;
}

async function statusWith(server: string, token: string): Promise<number> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const initialize = {
    jsonrpc: '2.0',
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  };
  return (await fetch(urlOf(server), { method: 'POST', headers, body: JSON.stringify(initialize) })).status;
}

test('what serves staging goes to production as it is; URLs, tokens, secrets and policy stay apart', async () => {
  await api.createServer('shop', 'Shop');
  expect((await manage('POST', '/v1/servers/shop/environments', { environment: 'staging' })).status).toBe(201);
  await api.putSecret('token', 'value-of-staging', 'staging');
  await api.putSecret('token', 'value-of-production');
  const { release: first } = await api.createRelease('shop~staging', source('The first.'));
  await api.publish('shop~staging', first.id);
  const staging = await connect('shop~staging');
  expect((await find(staging)).isError).not.toBe(true);
  expect((await fetch(urlOf('shop').replace('/t/', '/.well-known/oauth-protected-resource/t/'))).status).toBe(404);

  expect(await cli('promote', 'shop')).toContain('is published');
  await untilLive('shop', first.digest);
  const production = await connect('shop', '2026-07-28');
  expect((await find(production)).isError).not.toBe(true);
  expect(authorizations).toEqual(['Bearer value-of-staging', 'Bearer value-of-production']);

  const statuses = [
    await statusWith('shop~staging', staging.accessToken),
    await statusWith('shop', staging.accessToken),
    await statusWith('shop~staging', production.accessToken),
  ];
  expect(statuses).toEqual([200, 401, 401]);
  for (const server of ['shop', 'shop~staging']) {
    const metadata = await fetch(urlOf(server).replace('/t/', '/.well-known/oauth-protected-resource/t/'));
    expect(await metadata.json()).toMatchObject({ resource: urlOf(server), scopes_supported: [`${server}:read`] });
    const page = await fetch(urlOf(server), { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } });
    expect(await page.text()).toContain(urlOf(server));
  }
  const whole = await connectAgent({ ...PERSON, url: `${wharf.url}/t/stages/mcp` });
  expect((await whole.client.listTools()).tools.map(({ name }) => name)).toEqual(['shop__find']);

  const { release: second } = await api.createRelease('shop~staging', source('The second.'));
  await api.publish('shop~staging', second.id);
  expect(await liveDigest('shop')).toBe(first.digest);
  await cli('promote', 'shop', '--strategy', 'blue-green');
  await untilLive('shop', second.digest);
  expect((await production.client.listTools()).tools[0]?.description).toBe('The second.');

  const policy = { policy: { egress_hosts: ['elsewhere.example'] } };
  expect((await manage('PATCH', '/v1/servers/shop/environments/staging', policy)).status).toBe(200);
  const refused = await find(staging);
  expect([refused.isError, JSON.stringify(refused.content)]).toEqual([
    true,
    expect.stringContaining('this environment'),
  ]);
  expect((await find(production)).isError).not.toBe(true);
  const slow = { policy: { calls_per_minute: 1, audit_mode: 'process' } };
  expect((await manage('PATCH', '/v1/servers/shop/environments/staging', slow)).status).toBe(200);
  await expect(Promise.all([find(staging), find(staging), find(staging)])).rejects.toThrow(
    /This environment's limit of 1/,
  );
  expect((await find(production)).isError).not.toBe(true);
  await Promise.all([staging, production, whole].map((agent) => agent.close()));
});
