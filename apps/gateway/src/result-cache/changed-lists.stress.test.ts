import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { packBundle, until } from '#libs/testing';
import { publishBundle } from '../bundle.fixture.js';
import { GatewayUnderTest, type TenantUnderTest } from '../gateway.fixture.js';
import { writeProfile } from '../profiles.fixture.js';
import { modern, send } from '../requests.fixture.js';

/** A server of the SDK, of the 2025 era, with one prompt more for whoever asks for it, and a list that never changes. */
const GROWING = `
import { McpServer } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
const server = new McpServer({ name: 'growing', version: '1' });
let last = 0;
const prompt = (name) => server.registerPrompt(name, { description: name }, () => ({ messages: [] }));
prompt('first');
server.registerTool('grow', { description: 'Has one prompt more.' }, () => {
  prompt('CANARY-' + process.pid + '-' + ++last);
  return { content: [] };
});
await server.connect(new StdioServerTransport());
`;
const TTL_MS = 60_000;

let gateway: GatewayUnderTest;
let acme: TenantUnderTest;
let colleague: string;
let narrow: string;
let url: string;

beforeAll(async () => {
  gateway = await GatewayUnderTest.start();
  acme = await gateway.tenant('acme', { find: 'https://api.example.com/find' }, 'scale');
  const packed = { archive: packBundle(GROWING), tools: ['grow'], offers: { prompts: {} } };
  await publishBundle(gateway, acme.id, 'growing', 'legacy', packed);
  [{ text: colleague }, { text: narrow }] = await Promise.all([
    gateway.apiKey(acme.id, ['mcp']),
    gateway.apiKey(acme.id, ['growing:read']),
  ]);
  url = acme.serverUrl.replace('/orders/', '/growing/');
  await until(async () => (await prompts(url, acme.key)).names.length === 1, 'the server');
});

afterAll(() => gateway.stop());

async function ask(at: string, key: string, method: string, params: Record<string, unknown> = {}) {
  const { headers, body } = modern(method, params);
  const answer = await send(at, { headers: { ...headers, authorization: `Bearer ${key}` }, body });
  return answer.json?.result ?? { prompts: [] };
}

async function prompts(at: string, key: string) {
  const { prompts: listed, ttlMs, cacheScope } = await ask(at, key, 'prompts/list');
  const names: string[] = listed.map(({ name }: { name: string }) => name);
  return { names, kept: ttlMs > 0 && ttlMs < TTL_MS, cacheScope };
}

/** The list once it is one from before. */
function keptPrompts(at: string, key: string) {
  return until(async () => {
    const listed = await prompts(at, key);
    return listed.kept && listed;
  }, 'the list from before');
}

const grow = (key: string, at = url) => ask(at, key, 'tools/call', { name: 'grow', arguments: {} });

test('a list of a 2025-era server is kept for each principal, and for nobody when its server says that it has changed', async () => {
  const there = url.replace(gateway.origin, await gateway.replica());
  const profile = await writeProfile(gateway, acme, 'agents', { servers: ['growing'] });
  await until(async () => (await prompts(profile, acme.key)).names.length === 1, 'the profile');
  const all = [
    [url, acme.key],
    [url, colleague],
    [url, narrow],
    [there, acme.key],
    [profile, acme.key],
    [acme.url, acme.key],
  ] as const;
  for (const [at, key] of all) {
    const { names, cacheScope } = await keptPrompts(at, key);
    expect([names.length, cacheScope]).toEqual([1, 'private']);
  }
  await grow(acme.key);
  const now = await prompts(url, acme.key);
  expect(now).toEqual({ names: ['first', expect.stringContaining('CANARY')], kept: false, cacheScope: 'private' });
  expect(await until(async () => (await prompts(there, acme.key)).names.length === 2, 'the other gateway')).toBe(true);
  for (const key of [colleague, narrow])
    expect(await prompts(url, key)).toMatchObject({ names: ['first'], kept: false });
  expect((await keptPrompts(url, colleague)).names).toEqual(['first']);
  expect((await keptPrompts(url, acme.key)).names).toHaveLength(2);
});

test('what such a server lists is its caller’s own, also where its tenant has opened its lists', async () => {
  await gateway.control.asTenant(acme.id, (tx) =>
    tx.query(`update servers set public_lists = true where tenant_id = $1`, [acme.id]),
  );
  const tools = () => ask(url, acme.key, 'tools/list');
  await until(async () => (await tools()).cacheScope === 'public', 'the lists are open');
  await grow(colleague);
  const theirs = await keptPrompts(url, colleague);
  expect(theirs).toMatchObject({ cacheScope: 'private', names: ['first', expect.stringContaining('CANARY')] });
  const { text: newcomer } = await gateway.apiKey(acme.id, ['mcp']);
  expect(await prompts(url, newcomer)).toMatchObject({ names: ['first'], cacheScope: 'private' });
  expect((await keptPrompts(url, newcomer)).names).toEqual(['first']);
});

test('a release drops what was kept of the one before, at every URL', async () => {
  const packed = {
    archive: packBundle(GROWING.replace("'first'", "'second'")),
    tools: ['grow'],
    offers: { prompts: {} },
  };
  await keptPrompts(acme.url, acme.key);
  await publishBundle(gateway, acme.id, 'growing', 'legacy', packed);
  await until(async () => (await prompts(url, acme.key)).names[0] === 'second', 'the release');
  expect((await prompts(acme.url, acme.key)).names).toEqual(['growing__second']);
});
