import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectWithApiKey, startUpstream, type Upstream } from '#libs/journey';
import { startWharf, until, type Wharf } from '#libs/testing';
import { openTestShop, type TestShop } from './shop.js';

/** The master key of a whole installation is replaced twice, in processes that are killed meanwhile. */
let upstream: Upstream;
let wharf: Wharf;
let shop: TestShop;

beforeAll(async () => {
  upstream = await startUpstream();
  // With a PostgreSQL of its own: the roles' passwords, which change with the key, belong to the whole server.
  wharf = await startWharf({ environment: { DATABASE_URL: '', REDIS_URL: '', WHARF_MASTER_KEY: '' } });
  shop = await openTestShop(wharf, upstream, 'rotated');
}, 180_000);

afterAll(async () => {
  await wharf?.stop();
  await upstream?.stop();
});

interface MasterKey {
  readonly id: string;
  readonly state: string;
  readonly rows_left: number;
}

async function masterKeys(method: 'GET' | 'POST' = 'GET'): Promise<MasterKey[]> {
  const response = await fetch(`${wharf.url}/admin/v1/master-keys${method === 'POST' ? '/rewrap' : ''}`, {
    method,
    headers: { authorization: `Bearer ${wharf.operatorKey}`, 'content-type': 'application/json' },
    ...(method === 'POST' ? { body: JSON.stringify({ reason: 'the yearly rotation' }) } : {}),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return (JSON.parse(text) as { master_keys: MasterKey[] }).master_keys;
}

async function callBooks(): Promise<void> {
  const url = `${wharf.url}/t/rotated/books/mcp`;
  const agent = await connectWithApiKey({ url, apiKey: shop.apiKey.text, protocol: '2026-07-28' });
  const { tools } = await agent.client.listTools();
  const name = tools.find((tool) => tool.name.startsWith('list'))?.name ?? '';
  expect((await agent.client.callTool({ name, arguments: {} })).isError ?? false).toBe(false);
  await agent.close();
}

const keyFile = () => path.join(wharf.dataDir, 'keys', 'master.key');

test.each(['first', 'second'])(
  'the %s new key takes over while the platform answers, also where it is killed on the way',
  async (which) => {
    const old = readFileSync(keyFile(), 'utf8').trim();
    const next = Buffer.alloc(32, which).toString('base64');
    await callBooks();
    writeFileSync(keyFile(), `${next},${old}\n`);
    await wharf.restart('SIGTERM');
    await callBooks();
    const before = await masterKeys('POST');
    expect(before.find(({ state }) => state === 'opening')?.rows_left).toBeGreaterThan(0);
    await wharf.restart('SIGKILL');
    await callBooks();
    await until(async () => (await masterKeys()).every(({ state }) => state !== 'opening'), 'the old key to leave');
    writeFileSync(keyFile(), `${next}\n`);
    await wharf.restart('SIGTERM');
    await callBooks();
    expect((await masterKeys()).filter(({ rows_left: rows }) => rows > 0)).toHaveLength(1);
    expect(wharf.logs()).not.toContain(next);
  },
  240_000,
);

test('the key that has left starts nothing any more, and says what to do', async () => {
  const now = readFileSync(keyFile(), 'utf8').trim();
  writeFileSync(keyFile(), `${Buffer.alloc(32, 'first').toString('base64')}\n`);
  await expect(wharf.restart('SIGTERM')).rejects.toThrow(/still sealed under master key [0-9a-f]{16}: name it/);
  writeFileSync(keyFile(), `${now}\n`);
  await wharf.restart('SIGTERM');
  await callBooks();
}, 120_000);
