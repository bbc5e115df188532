import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { isCluster, type RedisStore } from '#libs/redis';
import { connectTestRedis, keysIn, until } from '#libs/testing';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { writeProfile } from '../profiles.fixture.js';
import { modern, send } from '../requests.fixture.js';
import { listen, type Listening } from '../surroundings.fixture.js';

const CANARY = 'canary-of-acme';
const INLINE = 4_096;
const KEPT_BYTES = 100_000;

let gateway: GatewayUnderTest;
let upstream: Listening;
let redis: RedisStore;
let slot: string;
let acme: TenantUnderTest;
let other: TenantUnderTest;

/** `/text/{bytes}`, `/json/{bytes}` and `/bytes/{bytes}` answer as many. */
beforeAll(async () => {
  upstream = await listen((request, response) => {
    const [, kind, bytes] = new URL(request.url ?? '', 'http://x').pathname.split('/');
    const text = CANARY.padEnd(Number(bytes), '.');
    if (kind === 'wide') response.setHeader('content-type', 'text/plain').end('☃'.repeat(Number(bytes) / 3));
    else if (kind === 'text') response.setHeader('content-type', 'text/plain; charset=utf-8').end(text);
    else if (kind === 'json') response.setHeader('content-type', 'application/json').end(JSON.stringify({ text }));
    else response.setHeader('content-type', 'application/pdf').end(Buffer.alloc(Number(bytes), 0xff));
  });
  gateway = await GatewayUnderTest.start();
  redis = await connectTestRedis(gateway.redis.redisUrl);
  slot = isCluster(redis) ? '{results}:' : '';
  await gateway.operators.asService((tx) =>
    tx.query(`update plans set kept_result_bytes_max = $1 where name = 'scale'`, [KEPT_BYTES]),
  );
  acme = await tenantOf('acme', 'free');
  other = await tenantOf('other', 'scale');
});

afterAll(async () => {
  redis.disconnect();
  await gateway.stop();
  await upstream.close();
});

async function tenantOf(slug: string, plan: string): Promise<TenantUnderTest> {
  const at = (path: string): string => `${upstream.origin}/${path}`;
  const texts = { large: at('text/60000'), small: at('text/100'), structured: at('json/60000') };
  const tools = { ...texts, wide: at('wide/60000'), file: at('bytes/5000'), icon: at('bytes/50') };
  const tenant = await gateway.tenant(slug, tools, plan);
  await gateway.allow(tenant, upstream);
  await gateway.publish(tenant.id, 'more', tools);
  await gateway.control.asTenant(tenant.id, (tx) =>
    tx.query(`update servers set inline_result_bytes = $2 where tenant_id = $1`, [tenant.id, INLINE]),
  );
  return tenant;
}

function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

async function ask(url: string, key: string, method: string, params: Record<string, unknown>) {
  const { headers, body } = modern(method, params);
  const named = typeof params['uri'] === 'string' ? { 'mcp-name': params['uri'] } : {};
  return (await send(url, { headers: { ...headers, ...named, ...bearer(key) }, body })).json;
}

/** The address that a tool's result links to. */
async function linkOf(
  tenant: TenantUnderTest,
  name: string,
  url = tenant.serverUrl,
  key = tenant.key,
): Promise<string> {
  const { result } = await ask(url, key, 'tools/call', { name, arguments: {} });
  return String(result.content.find(({ type }: { type: string }) => type === 'resource_link')?.uri);
}

async function read(url: string, key: string, uri: string) {
  const { result, error } = await ask(url, key, 'resources/read', { uri });
  return error ?? result.contents[0];
}

async function isUnknown(url: string, key: string, uri: string): Promise<void> {
  const message = expect.stringContaining('There is no result');
  expect(await read(url, key, uri)).toEqual({ code: -32_602, message, data: { uri } });
}

test('clients of both eras read what a result links to, and see small answers and small files at once', async () => {
  const headers = bearer(acme.key);
  const legacy = new LegacyClient({ name: 'agent', version: '1' });
  await legacy.connect(new LegacyTransport(new URL(acme.url), { requestInit: { headers } }));
  const today = new ModernClient({ name: 'agent', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await today.connect(new ModernTransport(new URL(acme.url), { requestInit: { headers } }));
  for (const client of [legacy, today]) {
    const { content } = await client.callTool({ name: 'orders__large', arguments: {} });
    const [told, link] = content as Array<Record<string, unknown>>;
    expect(told?.['text']).toContain(`${CANARY}.`);
    expect(String(told?.['text']).length).toBeLessThan(6_000);
    const uri = String(link?.['uri']);
    expect(link).toMatchObject({ type: 'resource_link', mimeType: 'text/plain', size: 60_000 });
    expect(link?.['_meta']).toEqual({ 'wharf/parts': { parts: 4, part_bytes: 16_384 } });
    const [text] = (await client.readResource({ uri })).contents;
    expect(text).toEqual({ uri, mimeType: 'text/plain', text: CANARY.padEnd(60_000, '.') });
    const file = (await client.callTool({ name: 'orders__file', arguments: {} })).content as Array<{ uri: string }>;
    const [blob] = (await client.readResource({ uri: String(file[1]?.uri) })).contents;
    expect(blob).toMatchObject({ mimeType: 'application/pdf', blob: Buffer.alloc(5_000, 0xff).toString('base64') });
    expect(await client.callTool({ name: 'orders__small', arguments: {} })).toMatchObject({
      content: [{ type: 'text' }],
    });
    const icon = await client.callTool({ name: 'orders__icon', arguments: {} });
    expect(icon).toMatchObject({ content: [{ type: 'resource', resource: { mimeType: 'application/pdf' } }] });
    expect((await client.listResources()).resources).toEqual([]);
    expect((await client.listResourceTemplates()).resourceTemplates).toEqual([]);
    await client.close();
  }
});

test('a kept result is read in parts too, which together are the whole and cut no character in two', async () => {
  const uri = await linkOf(acme, 'wide');
  const whole = await read(acme.serverUrl, acme.key, uri);
  const parts: string[] = [];
  for (let next: string | undefined = `${uri}?part=1`; next !== undefined;) {
    const part = await read(acme.serverUrl, acme.key, next);
    expect(Buffer.byteLength(part.text)).toBeLessThanOrEqual(16_387);
    expect(part).toMatchObject({ uri: next, mimeType: 'text/plain', _meta: { 'wharf/part': { parts: 4 } } });
    parts.push(part.text);
    next = part._meta['wharf/part'].next;
  }
  expect(parts).toHaveLength(4);
  expect(parts.join('')).toBe(whole.text);
  expect(await read(acme.serverUrl, acme.key, `${uri}?part=5`)).toMatchObject({
    code: -32_602,
    message: expect.stringContaining('?part=1 to ?part=4'),
  });
  for (const odd of ['?part=0', '?part=x', '?part=1&part=2', '?part=99999', '?other=1'])
    await isUnknown(acme.serverUrl, acme.key, `${uri}${odd}`);
  const { text: colleague } = await gateway.apiKey(acme.id, ['mcp']);
  await isUnknown(acme.serverUrl, colleague, `${uri}?part=1`);
  await isUnknown(other.serverUrl, other.key, `${uri}?part=1`);
});

test('a kept result is nobody else’s: not of another key, tenant, server or URL', async () => {
  const uri = await linkOf(acme, 'large');
  expect(await read(acme.serverUrl, acme.key, uri)).toMatchObject({ mimeType: 'text/plain' });
  const { text: colleague } = await gateway.apiKey(acme.id, ['mcp']);
  await isUnknown(acme.serverUrl, colleague, uri);
  await isUnknown(acme.url, acme.key, uri);
  await isUnknown(acme.serverUrl.replace('/orders/', '/more/'), acme.key, uri.replace('//orders/', '//more/'));
  await isUnknown(other.serverUrl, other.key, uri);
  await isUnknown(acme.serverUrl, acme.key, `${uri.slice(0, -1)}${uri.endsWith('A') ? 'B' : 'A'}`);
});

test('people are told apart by the client that they use, and lose what they may not call any more', async () => {
  await gateway.control.asTenant(acme.id, (tx) =>
    tx.query(`update servers set tool_groups = '{"bulk": ["large"], "files": ["file"]}' where tenant_id = $1`, [
      acme.id,
    ]),
  );
  const person = { sub: '01890000-0000-7000-8000-000000000001', scope: 'orders:bulk' };
  const token = (claims: object) => gateway.token(acme, acme.serverUrl, { ...person, ...claims });
  const bearing = await token({});
  const calling = () => ask(acme.serverUrl, bearing, 'tools/call', { name: 'large', arguments: {} });
  await until(async () => (await calling())?.result !== undefined, 'the groups');
  const uri = await linkOf(acme, 'large', acme.serverUrl, bearing);
  expect(await read(acme.serverUrl, await token({}), uri)).toMatchObject({ mimeType: 'text/plain' });
  await isUnknown(acme.serverUrl, await token({ client_id: 'another' }), uri);
  await isUnknown(acme.serverUrl, await token({ scope: 'orders:files' }), uri);
});

test('what a profile does not show any more is not read there any more either', async () => {
  const url = await writeProfile(gateway, acme, 'agents', { tools: ['orders__large', 'orders__file'] });
  const shown = async (): Promise<string[]> =>
    ((await ask(url, acme.key, 'tools/list', {}))?.result?.tools ?? []).map(({ name }: { name: string }) => name);
  await until(async () => (await shown()).length === 2, 'the profile');
  const [large, file] = [await linkOf(acme, 'orders__large', url), await linkOf(acme, 'orders__file', url)];
  expect(await read(url, acme.key, large)).toMatchObject({ mimeType: 'text/plain' });
  await writeProfile(gateway, acme, 'agents', { tools: ['orders__file'] });
  await until(async () => (await shown()).length === 1, 'the profile without a tool');
  await isUnknown(url, acme.key, large);
  expect(await read(url, acme.key, file)).toMatchObject({ mimeType: 'application/pdf' });
});

test('any gateway gives it back; in Redis it is sealed, for a time, after which it is told to be gone', async () => {
  const replica = await gateway.replica();
  const uri = await linkOf(other, 'large');
  const there = other.serverUrl.replace(gateway.origin, replica);
  expect(await read(there, other.key, uri)).toMatchObject({ text: expect.stringContaining(CANARY) });
  const names = await keysIn(redis, `${slot}result:${other.id}:*`);
  expect(names).toHaveLength(1);
  for (const name of names) {
    expect(name).not.toContain(uri.split('/').at(-1));
    expect((await redis.getBuffer(name))?.includes(CANARY)).toBe(false);
    expect(await redis.ttl(name)).toBeGreaterThan(800);
    await redis.pexpire(name, 1);
  }
  while ((await keysIn(redis, `${slot}result:${other.id}:*`)).length > 0);
  await isUnknown(there, other.key, uri);
});

test('a tenant keeps as many bytes as its plan says: the oldest of its caller give way, then those of others', async () => {
  const { text: second } = await gateway.apiKey(other.id, ['mcp']);
  const theirs = await linkOf(other, 'file', other.serverUrl, second);
  const first = await linkOf(other, 'large');
  const next = await linkOf(other, 'large');
  await isUnknown(other.serverUrl, other.key, first);
  expect(await read(other.serverUrl, other.key, next)).toMatchObject({ mimeType: 'text/plain' });
  expect(await read(other.serverUrl, second, theirs)).toMatchObject({ mimeType: 'application/pdf' });
  const last = await linkOf(other, 'large', other.serverUrl, second);
  await isUnknown(other.serverUrl, second, theirs);
  await isUnknown(other.serverUrl, other.key, next);
  expect(await read(other.serverUrl, second, last)).toMatchObject({ mimeType: 'text/plain' });
});

test('where all tenants keep as much as they may, an answer is cut as ever and nothing is lost', async () => {
  const uri = await linkOf(acme, 'large');
  const bytes = await redis.get(`${slot}results:bytes`);
  await redis.set(`${slot}results:bytes`, 1_000_000_000, 'KEEPTTL');
  const { result } = await ask(acme.serverUrl, acme.key, 'tools/call', { name: 'large', arguments: {} });
  expect(result.content).toEqual([
    { type: 'text', text: expect.stringContaining(`the first ${INLINE} of 60000 bytes`) },
  ]);
  await redis.set(`${slot}results:bytes`, bytes ?? 0, 'KEEPTTL');
  expect(await read(acme.serverUrl, acme.key, uri)).toMatchObject({ mimeType: 'text/plain' });
});

test('the audit log says how much was kept, and how much was read', async () => {
  const tenant = await tenantOf('logged', 'free');
  await read(tenant.serverUrl, tenant.key, await linkOf(tenant, 'large'));
  const call = await gateway.audited(tenant, ({ details }) => details['name'] === 'large');
  expect(call).toMatchObject({ outcome: 'ok', details: { bytes_kept: 60_000 } });
  const reading = await gateway.audited(tenant, ({ details }) => details['method'] === 'resources/read');
  expect(Number(reading.details['bytes_out'])).toBeGreaterThan(60_000);
});

test('a call whose structured answer is kept has succeeded, though its result is none that a client may check', async () => {
  const tenant = await tenantOf('promising', 'free');
  const { result } = await ask(tenant.serverUrl, tenant.key, 'tools/call', { name: 'structured', arguments: {} });
  expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('succeeded') }, {}] });
  const call = await gateway.audited(tenant, ({ details }) => details['name'] === 'structured');
  expect(call).toMatchObject({ outcome: 'ok', details: { bytes_kept: expect.any(Number) } });
});
