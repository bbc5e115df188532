import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectWithApiKey, OperatorApi, startUpstream, type Upstream } from '#libs/journey';
import { startWharf, TEST_MASTER_KEY, type Wharf } from '#libs/testing';
import { asOwner, until } from './connections.fixture.js';
import { openTestShop, type TestShop } from './shop.js';

/** A tenant is exported from one installation and imported into another, where its agents go on. */
const PASSPHRASE = 'a long passphrase of the owner';
const SECRET = 'SECRET-moved-4711';
/** Bytes of every part but the last that an operator uploads. */
const PART_BYTES = 4 * 1024 * 1024;

let upstream: Upstream;
let from: Wharf;
let to: Wharf;
let shop: TestShop;
let folder: string;
let archive: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-move-'));
  archive = path.join(folder, 'moved.zip');
  upstream = await startUpstream();
  from = await startWharf();
  to = await startWharf();
  shop = await openTestShop(from, upstream, 'moved');
}, 240_000);

afterAll(async () => {
  await Promise.all([from?.stop(), to?.stop()]);
  await upstream?.stop();
  rmSync(folder, { recursive: true });
});

async function asked(wharf: Wharf, method: string, where: string, key: string, body?: unknown): Promise<Response> {
  const response = await fetch(`${wharf.url}${where}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${where}: ${response.status} ${await response.text()}`);
  return response;
}

/** The answer's JSON; the test looks into it freely. */
// oxlint-disable-next-line typescript/no-explicit-any
async function json(...asking: Parameters<typeof asked>): Promise<any> {
  return (await asked(...asking)).json();
}

function runImport(...args: readonly string[]): Promise<{ status: unknown; output: string }> {
  return runImportInto({ DATABASE_URL: to.databaseUrl, WHARF_MASTER_KEY: TEST_MASTER_KEY.reveal() }, args);
}

async function runImportInto(
  target: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<{ status: unknown; output: string }> {
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...target };
  const named = ['--from', archive, '--signed-by', path.join(folder, 'keys'), ...args];
  const child = spawn(process.execPath, ['dist/apps/local/src/tenant-import/main.js', ...named], { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += String(chunk)));
  return { status: await new Promise((resolve) => child.once('exit', resolve)), output };
}

async function callBooks({ url }: Wharf): Promise<void> {
  const agent = await connectWithApiKey({
    url: `${url}/t/moved/books/mcp`,
    apiKey: shop.apiKey.text,
    protocol: '2026-07-28',
  });
  const { tools } = await agent.client.listTools();
  const name = tools.find((tool) => tool.name.startsWith('list'))?.name ?? '';
  const result = await agent.client.callTool({ name, arguments: {} });
  expect(result.isError ?? false).toBe(false);
  await agent.close();
}

test('an archive holds everything the tenant owns, and no secret of it in plain text', async () => {
  const key = shop.apiKey.text;
  await asked(from, 'PUT', '/v1/secrets/token', key, { value: SECRET });
  await callBooks(from);
  const body = { secrets: { kind: 'passphrase', passphrase: PASSPHRASE }, reason: 'it moves' };
  await until(async () => {
    await asOwner(from, (owner) => owner.query(`update audit_trees set checkpoint_at = now() - interval '61 seconds'`));
    const { checkpoints } = await json(from, 'GET', '/v1/audit/checkpoints', key);
    return checkpoints[0]?.size > 5 ? true : undefined;
  });
  await asked(from, 'POST', '/admin/v1/tenants/moved/exports', from.operatorKey, body);
  const made = await until(async () => {
    const { exports } = await json(from, 'GET', '/admin/v1/tenants/moved/exports', from.operatorKey);
    if (exports[0].state === 'failed') throw new Error(exports[0].failure);
    return exports[0].state === 'ready' ? exports[0] : undefined;
  });
  const content = `${made.download}?reason=it+moves`;
  const bytes = Buffer.from(await (await asked(from, 'GET', content, from.operatorKey)).arrayBuffer());
  expect(bytes.length).toBe(made.bytes);
  expect(bytes.includes(SECRET)).toBe(false);
  writeFileSync(archive, bytes);
  const { keys } = await json(from, 'GET', '/v1/audit/keys', key);
  writeFileSync(
    path.join(folder, 'keys'),
    keys.map((row: { verifier_key: string }) => `${row.verifier_key}\n`).join(''),
  );
  writeFileSync(path.join(folder, 'passphrase'), `${PASSPHRASE}\n`);
  writeFileSync(path.join(folder, 'wrong'), 'another passphrase\n');
});

test('an archive that was changed, is not trusted, or whose passphrase is another one changes nothing', async () => {
  const passphrase = ['--passphrase-file', path.join(folder, 'passphrase')];
  expect((await runImport()).output).toContain('name its passphrase');
  const wrong = await runImport('--passphrase-file', path.join(folder, 'wrong'));
  expect(wrong.output).toContain('This is not the passphrase');
  const whole = readFileSync(archive);
  const changed = Buffer.from(whole);
  changed[Math.floor(whole.length / 3)] = (changed[Math.floor(whole.length / 3)] ?? 0) ^ 1;
  writeFileSync(archive, changed);
  expect((await runImport(...passphrase)).output).toMatch(/another copy/i);
  writeFileSync(archive, whole.subarray(0, whole.length - 100));
  expect((await runImport(...passphrase)).output).toContain('cannot be read');
  writeFileSync(archive, whole);
  const keys = readFileSync(path.join(folder, 'keys'), 'utf8');
  const { keys: own } = await json(from, 'GET', '/v1/audit/keys', shop.apiKey.text);
  expect(own.length).toBeGreaterThan(0);
  writeFileSync(path.join(folder, 'keys'), keys.replaceAll(/^/gm, '#'));
  expect((await runImport(...passphrase)).output).toContain('no verifier key');
  writeFileSync(path.join(folder, 'keys'), keys);
  const tenants = await asOwner(to, (owner) => owner.query(`select slug from tenants`));
  expect(tenants.rows).toEqual([]);
});

test('a new data folder takes a tenant in, and is not there where the import is refused', async () => {
  const into = { WHARF_DATA_DIR: path.join(folder, 'data') };
  const refused = await runImportInto(into, ['--passphrase-file', path.join(folder, 'wrong')]);
  expect([refused.status, refused.output]).toEqual([1, expect.stringContaining('This is not the passphrase')]);
  expect(existsSync(into.WHARF_DATA_DIR)).toBe(false);
  const imported = await runImportInto(into, ['--passphrase-file', path.join(folder, 'passphrase')]);
  expect([imported.status, imported.output]).toEqual([0, expect.stringContaining('Imported the tenant moved')]);
});

test('the imported tenant serves its agents with the keys they have, and its old log is proved', async () => {
  const imported = await runImport('--passphrase-file', path.join(folder, 'passphrase'));
  expect([imported.status, imported.output]).toEqual([0, expect.stringContaining('Imported the tenant moved')]);
  const operator = new OperatorApi({ publicUrl: to.url, operatorKey: to.operatorKey });
  await operator.allowEgress('moved', upstream.host, upstream.port, 'the test’s own upstream');
  await callBooks(to);
  const key = shop.apiKey.text;
  const { secrets } = await json(to, 'GET', '/v1/secrets', key);
  expect(secrets).toMatchObject([{ name: 'token', version: 1 }]);
  const { files } = await json(to, 'GET', '/v1/audit/imported', key);
  const named = async (name: string): Promise<string> => {
    const file: { path: string } = files.find(({ path: at }: { path: string }) => at.endsWith(`/${name}`));
    const where = `/v1/audit/imported/content?path=${encodeURIComponent(file.path)}`;
    const target = path.join(folder, name);
    writeFileSync(target, Buffer.from(await (await asked(to, 'GET', where, key)).arrayBuffer()));
    return target;
  };
  const verify = [
    path.resolve('bin/wharf-verify.mjs'),
    await named('key.txt'),
    await named('records.ndjson'),
    await named('checkpoint.txt'),
  ];
  const { stdout, stderr } = spawnSync(process.execPath, verify, { encoding: 'utf8' });
  expect(stdout + stderr).toMatch(/^\d+ records agree with 1 checkpoints$/m);
  const again = await runImport('--passphrase-file', path.join(folder, 'passphrase'));
  expect(again.output).toContain('is in this installation already');
  const log = await until(async () => {
    const text = await (await asked(to, 'GET', '/v1/audit/export', key)).text();
    return text.includes('"tenant.imported"') ? text : undefined;
  });
  expect(log).not.toContain('"tenant.created"');
});

test('an operator brings the same archive in by HTTP, under another slug and the plan of their choice', async () => {
  const third = await startWharf();
  try {
    const content = readFileSync(archive);
    const signedBy = readFileSync(path.join(folder, 'keys'), 'utf8').trim().split('\n');
    const made = await json(third, 'POST', '/admin/v1/imports', third.operatorKey, {
      bytes: content.length,
      sha256: createHash('sha256').update(content).digest('hex'),
      signed_by: signedBy,
      slug: 'moved-again',
      plan: 'team',
      reason: 'it moves',
    });
    for (let number = 0; number < made.parts; number += 1) {
      const body = content.subarray(number * PART_BYTES, (number + 1) * PART_BYTES);
      const answer = await fetch(`${third.url}/admin/v1/imports/${made.id}/parts/${number}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${third.operatorKey}`, 'content-type': 'application/octet-stream' },
        body,
      });
      expect(answer.status).toBe(200);
    }
    const secret = { kind: 'passphrase', passphrase: PASSPHRASE };
    const begin = `/admin/v1/imports/${made.id}/begin`;
    await asked(third, 'POST', begin, third.operatorKey, { secret, reason: 'it moves' });
    const done = await until(async () => {
      const seen = await json(third, 'GET', `/admin/v1/imports/${made.id}`, third.operatorKey);
      if (seen.state === 'failed') throw new Error(seen.failure);
      return seen.state === 'done' ? seen : undefined;
    });
    expect(done.tenant.slug).toBe('moved-again');
    const key = shop.apiKey.text;
    expect(await json(third, 'GET', '/v1/tenant', key)).toMatchObject({ tenant: { slug: 'moved-again' } });
    expect((await json(third, 'GET', '/v1/secrets', key)).secrets).toMatchObject([{ name: 'token', version: 1 }]);
    const shown = await json(third, 'GET', '/admin/v1/tenants/moved-again', third.operatorKey);
    expect(shown.tenant.plan).toBe('team');
  } finally {
    await third.stop();
  }
}, 120_000);
