import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectWithApiKey, startUpstream, type Upstream } from '#libs/journey';
import { emptyDatabase, startWharf, TEST_MASTER_KEY, type TestDatabase, type Wharf } from '#libs/testing';
import { asOwner, until } from './connections.fixture.js';
import { openTestShop, type TestShop } from './shop.js';

/** A whole installation is backed up under traffic, lost, and restored; its tenant checks it with what it kept. */
const CALLS = 40;

let upstream: Upstream;
let wharf: Wharf;
let restored: Wharf | undefined;
let shop: TestShop;
let folder: string;
let target: TestDatabase;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-recovery-'));
  upstream = await startUpstream();
  [wharf, target] = await Promise.all([startWharf(), emptyDatabase()]);
  shop = await openTestShop(wharf, upstream, 'kept');
}, 120_000);

afterAll(async () => {
  await Promise.all([wharf?.stop(), restored?.stop()]);
  await upstream?.stop();
  await target?.drop();
  rmSync(folder, { recursive: true });
});

function commandOf(args: readonly string[], databaseUrl: string) {
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    DATABASE_URL: databaseUrl,
    WHARF_MASTER_KEY: TEST_MASTER_KEY.reveal(),
  };
  return [process.execPath, ['bin/wharf.mjs', ...args], { env }] as const;
}

/** Runs one of our commands while this process goes on. */
async function run(args: readonly string[], databaseUrl: string): Promise<string> {
  const child = spawn(...commandOf(args, databaseUrl));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  const status = await new Promise((resolve) => child.once('exit', resolve));
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${String(status)}: ${output}`);
  return output;
}

async function get({ url }: Wharf, where: string): Promise<string> {
  const response = await fetch(`${url}${where}`, { headers: { authorization: `Bearer ${shop.apiKey.text}` } });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${where}: ${response.status} ${text}`);
  return text;
}

async function callBooks({ url }: Wharf): Promise<void> {
  const agent = await connectWithApiKey({
    url: `${url}/t/kept/books/mcp`,
    apiKey: shop.apiKey.text,
    protocol: '2026-07-28',
  });
  const { tools } = await agent.client.listTools();
  const result = await agent.client.callTool({
    name: tools.find(({ name }) => name.startsWith('list'))?.name ?? '',
    arguments: {},
  });
  expect(result.isError ?? false).toBe(false);
  await agent.close();
}

interface Checkpoint {
  readonly size: number;
  readonly note: string;
}

test('a backup under traffic, restored elsewhere, is the same installation, and the tenant’s own checkpoints prove it', async () => {
  for (let call = 0; call < CALLS; call += 1) await callBooks(wharf);
  const checkpoints = await until(async () => {
    await asOwner(wharf, (owner) =>
      owner.query(`update audit_trees set checkpoint_at = now() - interval '61 seconds'`),
    );
    const { checkpoints: signed } = JSON.parse(await get(wharf, '/v1/audit/checkpoints')) as {
      checkpoints: Checkpoint[];
    };
    return (signed[0]?.size ?? 0) >= CALLS ? signed : undefined;
  });
  mkdirSync(path.join(folder, 'proof'));
  for (const { size, note } of checkpoints) writeFileSync(path.join(folder, 'proof', `checkpoint-${size}`), note);
  const { keys } = JSON.parse(await get(wharf, '/v1/audit/keys')) as { keys: Array<{ verifier_key: string }> };
  writeFileSync(path.join(folder, 'proof', 'key'), `${keys[0]?.verifier_key ?? ''}\n`);

  const startedMs = performance.now();
  const backup = run(['backup', '--to', path.join(folder, 'b')], wharf.databaseUrl);
  const ended = backup.then(
    () => true,
    () => true,
  );
  while (!(await Promise.race([ended, callBooks(wharf).then(() => false)])));
  process.stdout.write(await backup);
  const madeMs = performance.now() - startedMs;
  await wharf.stop();

  const lostMs = performance.now();
  process.stdout.write(await run(['restore', '--from', path.join(folder, 'b')], target.databaseUrl));
  restored = await startWharf({ environment: { DATABASE_URL: target.databaseUrl } });
  await callBooks(restored);
  const backMs = performance.now() - lostMs;
  process.stdout.write(
    `backup ${Math.round(madeMs)} ms under traffic; from an empty database to the first call ${Math.round(backMs)} ms\n`,
  );

  const again = JSON.parse(await get(restored, '/v1/audit/checkpoints?limit=100')) as { checkpoints: Checkpoint[] };
  for (const kept of checkpoints) expect(again.checkpoints).toContainEqual(expect.objectContaining(kept));
  const text = await until(async () => {
    const log = await get(restored as Wharf, '/v1/audit/export');
    return log.includes('"installation.restored"') ? log : undefined;
  });
  const size = checkpoints[0]?.size ?? 0;
  const lines = text.split('\n').slice(0, size);
  expect(lines.join()).not.toContain('"installation.restored"');
  writeFileSync(path.join(folder, 'proof', 'log'), lines.map((line) => `${line}\n`).join(''));
  const verify = [path.resolve('bin/wharf-verify.mjs'), 'key', 'log', `checkpoint-${size}`];
  const { stdout, stderr } = spawnSync(process.execPath, verify, { cwd: path.join(folder, 'proof'), encoding: 'utf8' });
  expect(stdout + stderr).toMatch(/^\d+ records agree with 1 checkpoints$/m);
}, 300_000);
