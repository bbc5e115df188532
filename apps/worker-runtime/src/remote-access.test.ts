import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { RemoteStage } from './remote-stage.fixture.js';
import { modernUpstream } from './remote-new-upstreams.fixture.js';
import { OldUpstream, type RemoteUpstream } from './remote-upstreams.fixture.js';
import { untilTrue } from './worker-runtime.fixture.js';

const STATIC = 'SECRET-static-4711-bearer';
const CLIENT = 'SECRET-client-0815';

let stage: RemoteStage;
let upstream: RemoteUpstream;
/** What upstreams take as a credential. */
let accepted: ReadonlySet<string> = new Set();
/** An authorization server, what it was asked, and the tokens that it gives. */
let authority: Server;
const asked: Array<{ readonly authorization: string | undefined; readonly form: URLSearchParams }> = [];
let granted = 0;
let lifetime = 3_600;

beforeAll(async () => {
  stage = await RemoteStage.open();
  upstream = await modernUpstream('far').start();
  upstream.inPlace = (request, response) => {
    if (accepted.has(request.headers.authorization ?? '')) return false;
    response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' });
    response.end(`who is ${request.headers.authorization ?? 'this'}`);
    return true;
  };
  authority = createServer((request, response) => {
    void request.toArray().then((parts) => {
      const form = new URLSearchParams(Buffer.concat(parts).toString());
      asked.push({ authorization: request.headers.authorization, form });
      const known = `Basic ${Buffer.from(`agent:${CLIENT}`).toString('base64')}`;
      response.setHeader('content-type', 'application/json');
      if (request.headers.authorization !== known) {
        response.writeHead(401).end(JSON.stringify({ error: 'invalid_client', error_description: CLIENT }));
        return;
      }
      granted += 1;
      const token = `SECRET-token-${granted}`;
      accepted = new Set([`Bearer ${token}`]);
      response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: lifetime }));
    });
  });
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
  granted = 0;
  lifetime = 3_600;
  upstream.asked.length = 0;
});

const portOfAuthority = (): number => (authority.address() as AddressInfo).port; // it listens on TCP
const grant = () => ({
  kind: 'client_credentials',
  tokenUrl: `http://127.0.0.1:${portOfAuthority()}/token`,
  clientId: 'agent',
  secret: 'client',
  scope: 'tools',
});
const hello = { name: 'hello', arguments: { who: 'Ann' } };

test('a static secret goes with every request and nowhere else', async () => {
  accepted = new Set([`Bearer ${STATIC}`]);
  const tenant = stage.tenant([upstream.port], { key: STATIC });
  const { manifest } = await stage.build(tenant, [
    { name: 'far', url: upstream.url, auth: { kind: 'secret', secret: 'key' } },
  ]);
  expect(manifest.toString()).not.toContain(STATIC);
  const route = await stage.publish(tenant, [
    { name: 'far', url: upstream.url, auth: { kind: 'secret', secret: 'key' } },
  ]);
  expect((await route.modern('tools/call', hello)).rpc.result.content).toMatchObject([{ text: 'Hello Ann from far' }]);
  expect(new Set(upstream.asked.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${STATIC}`]));
  accepted = new Set();
  const refused = await route.modern('tools/call', hello, { principal: 'another' });
  expect(refused.rpc.result.content[0]?.text).toContain('it refuses the credentials');
  expect(refused.message).not.toContain(STATIC);
  expect(stage.runtime.logs()).not.toContain(STATIC);
});

describe('client credentials', () => {
  const publish = (tenant: string) => stage.publish(tenant, [{ name: 'far', url: upstream.url, auth: grant() }]);
  const tenantWith = (secret: string) => stage.tenant([upstream.port, portOfAuthority()], { client: secret });

  test('one token is obtained for all that call, and kept', async () => {
    const route = await publish(tenantWith(CLIENT));
    const called = await Promise.all(
      ['ann', 'bob', 'cid'].map((principal) => route.modern('tools/call', hello, { principal })),
    );
    expect(called.map(({ rpc }) => rpc.result.content[0]?.text)).toEqual(Array(3).fill('Hello Ann from far'));
    expect(asked).toHaveLength(1);
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      resource: upstream.url,
      scope: 'tools',
    });
    expect(called.map(({ message }) => message).join()).not.toContain('SECRET');
    expect(stage.runtime.logs()).not.toContain('SECRET');
  });

  test('a token that has expired, or is refused, is obtained anew before the call', async () => {
    lifetime = 0.001;
    const route = await publish(tenantWith(CLIENT));
    const before = asked.length;
    await route.modern('tools/call', hello);
    expect(asked.length).toBeGreaterThan(before);
    lifetime = 3_600;
    expect((await route.modern('tools/call', hello)).rpc.result.isError).toBeUndefined();
    accepted = new Set(); // it was revoked
    const after = asked.length;
    expect((await route.modern('tools/call', hello)).rpc.result.isError).toBeUndefined();
    expect(asked).toHaveLength(after + 1);
  });

  test('another tenant’s token is never used, not even with the same client and upstream', async () => {
    const [first, second] = [await publish(tenantWith(CLIENT)), await publish(tenantWith(CLIENT))];
    expect(asked).toHaveLength(2);
    await first.modern('tools/call', hello);
    await second.modern('tools/call', hello);
    const stranger = tenantWith('not the secret');
    await expect(publish(stranger)).rejects.toMatchObject({ code: 'unprocessable' });
    expect(upstream.asked.every(({ authorization }) => authorization?.startsWith('Bearer SECRET-token-'))).toBe(true);
  });

  test('an authorization server that refuses is named as the reason, and not quoted', async () => {
    const built = publish(tenantWith('not the secret'));
    await expect(built).rejects.toMatchObject({
      problems: [{ pointer: '/upstreams/0/url', message: expect.stringContaining('invalid_client') }],
    });
    await expect(built).rejects.not.toMatchObject({ problems: [{ message: expect.stringContaining(CLIENT) }] });
    expect(upstream.asked).toEqual([]);
  });
});

describe('addresses that nobody may reach', () => {
  test.each([
    'http://169.254.169.254/latest/meta-data',
    'http://[::1]:8080/mcp',
    'http://10.0.0.1/mcp',
    'http://[::ffff:169.254.169.254]/mcp',
    'http://2130706433/mcp',
  ])('%s is no upstream', async (url) => {
    const tenant = stage.tenant([]);
    await expect(stage.build(tenant, [{ name: 'far', url }])).rejects.toMatchObject({
      code: 'unprocessable',
      problems: [{ pointer: '/upstreams/0/url', message: expect.stringContaining('not let requests to it out') }],
    });
  });

  test('nor are they token endpoints', async () => {
    const auth = { ...grant(), tokenUrl: 'http://169.254.169.254/token' };
    const tenant = stage.tenant([upstream.port], { client: CLIENT });
    await expect(stage.build(tenant, [{ name: 'far', url: upstream.url, auth }])).rejects.toMatchObject({
      problems: [{ message: expect.stringContaining('not on the public internet') }],
    });
  });

  test('an upstream that redirects there leads nowhere', async () => {
    let reached = 0;
    const inside = createServer((_request, response) => {
      reached += 1;
      response.end();
    });
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
    const { port } = inside.address() as AddressInfo; // it listens on TCP
    const old = await new OldUpstream().start();
    const tenant = stage.tenant([old.port]);
    const route = await stage.publish(tenant, [{ name: 'old', url: old.url }]);
    for (const status of [302, 307, 308]) {
      old.inPlace = (_request, response) => {
        response.writeHead(status, { location: `http://127.0.0.1:${port}/mcp` }).end();
        return true;
      };
      const called = await route.modern(
        'tools/call',
        { name: 'echo', arguments: { text: 'x' } },
        { principal: `${status}` },
      );
      expect(called.rpc.result).toMatchObject({ isError: true });
    }
    expect(reached).toBe(0);
    inside.close();
    await old.stop();
  });
});

test('a tenant meets no session of another, whatever it calls itself', async () => {
  const old = await new OldUpstream().start();
  const routes = await Promise.all(
    ['a', 'b'].map(() => stage.publish(stage.tenant([old.port]), [{ name: 'old', url: old.url }])),
  );
  const sessions = await Promise.all(routes.map((route) => route.session({}, 'same person')));
  const counts = [];
  for (const session of [...sessions, ...sessions])
    counts.push((await session.call('count')).rpc.result.content[0]?.text);
  expect(counts).toEqual(['1', '1', '2', '2']);
  const used = old.asked.filter(({ rpc }) => rpc === 'tools/call').map(({ session }) => session);
  expect(new Set(used).size).toBe(2);
  await untilTrue(() => old.asked.filter(({ method }) => method === 'GET').length >= 2);
  await old.stop();
});

test('what clients would choke on is refused, each with its place', async () => {
  const old = new OldUpstream();
  old.description = 'Says it again.\u200b';
  await old.start();
  const tenant = stage.tenant([old.port]);
  const upstreams = [
    { name: 'one', url: old.url, prefix: '', tools: ['echo', 'nothing'] },
    { name: 'two', url: old.url, prefix: '', tools: ['echo'] },
  ];
  await expect(stage.build(tenant, upstreams)).rejects.toMatchObject({
    problems: expect.arrayContaining([
      { pointer: '/upstreams/0/tools/1', message: 'The upstream lists no tool of this name.' },
      { pointer: '/upstreams/0/tools/echo/description', message: expect.stringContaining('U+200B') },
      { pointer: '/upstreams', message: expect.stringContaining('would both be called "echo"') },
    ]),
  });
  await old.stop();
});
