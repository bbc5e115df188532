import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectWithApiKey, OperatorApi, signUp, startUpstream, WharfApi, type Upstream } from '#libs/journey';
import {
  emptyDatabase,
  settleTenant,
  startWebhookReceiver,
  startWharf,
  until,
  type ReceivedMessage,
  type TestDatabase,
  type WebhookReceiver,
  type Wharf,
} from '#libs/testing';
import { Client } from 'pg';
import { Webhook } from 'standardwebhooks';
import { invite } from './invited.fixture.js';

/** A tenant whose rows live in a database of its own does what every tenant does, beside one whose rows do not. */
let own: TestDatabase;
let wharf: Wharf;
let upstream: Upstream;
let receiver: WebhookReceiver;
let mine: TestTenant;
let beside: TestTenant;
const secrets = new Map<string, string>();

interface TestTenant {
  readonly id: string;
  readonly slug: string;
  readonly key: string;
  readonly api: WharfApi;
}

beforeAll(async () => {
  [own, upstream, receiver] = await Promise.all([emptyDatabase(), startUpstream(), startWebhookReceiver()]);
  wharf = await startWharf({ environment: { WHARF_DEDICATED_DATABASES: `own=${own.databaseUrl}` } });
  [mine, beside] = [await newTenant('apart'), await newTenant('beside')];
  await settleTenant(wharf.databaseUrl, own.databaseUrl, mine.id);
  // Services that were asked while it moved say so for a moment.
  const seen = (where: string, key: string) => succeeds(asked('GET', where, key));
  await until(() => seen('/v1/servers', mine.key), 'the tenant at home');
  await until(() => seen('/admin/v1/tenants/apart', wharf.operatorKey), 'the tenant at home, for operators');
});

afterAll(async () => {
  await wharf?.stop();
  await Promise.all([upstream?.stop(), receiver?.stop()]);
  await own?.drop();
});

async function newTenant(slug: string): Promise<TestTenant> {
  const person = { tenantName: slug, slug, email: `${slug}@example.com`, password: 'correct horse battery' };
  const { api_key: key, tenant } = await signUp(wharf.url, person);
  return { id: tenant.id, slug, key: key.text, api: new WharfApi({ publicUrl: wharf.url, apiKey: key.text }) };
}

async function asked(method: string, where: string, key: string, body?: object): Promise<Response> {
  const response = await fetch(`${wharf.url}${where}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${where}: ${response.status} ${await response.text()}`);
  return response;
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

/** The answer's JSON; the test looks into it freely. */
// oxlint-disable-next-line typescript/no-explicit-any
const json = async (...asking: Parameters<typeof asked>): Promise<any> => (await asked(...asking)).json();

/** Publishes the upstream's document as the server `books` and is told of it by a webhook. */
async function publishBooks({ slug, key, api }: TestTenant): Promise<void> {
  const operator = new OperatorApi({ publicUrl: wharf.url, operatorKey: wharf.operatorKey });
  await operator.allowEgress(slug, upstream.host, upstream.port, 'the test’s own upstream');
  await operator.allowEgress(slug, '127.0.0.1', receiver.port, 'the test’s own receiver');
  const webhook = { mode: 'each', name: slug, url: receiver.url, events: ['server.*'] };
  secrets.set(slug, (await json('POST', '/v1/webhooks', key, webhook)).secret);
  await api.createServer('books', 'Bookshop');
  const { release } = await api.createRelease('books', { kind: 'openapi', document: upstream.openapi });
  await api.publish('books', release.id);
}

async function callBooks({ slug, key }: TestTenant, protocol: 'default' | '2026-07-28'): Promise<void> {
  const agent = await connectWithApiKey({ url: `${wharf.url}/t/${slug}/books/mcp`, apiKey: key, protocol });
  const { tools } = await agent.client.listTools();
  const name = tools.find((tool) => tool.name.startsWith('list'))?.name ?? '';
  const result = await agent.client.callTool({ name, arguments: {} });
  expect(result.isError ?? false).toBe(false);
  await agent.close();
}

async function asOwner<Result>(databaseUrl: string, work: (owner: Client) => Promise<Result>): Promise<Result> {
  const owner = new Client({ connectionString: databaseUrl });
  await owner.connect();
  try {
    return await work(owner);
  } finally {
    await owner.end();
  }
}

/** How many rows each tenant table of a database has of a tenant; none are left out. */
function rowsOf(databaseUrl: string, tenantId: string): Promise<Record<string, number>> {
  return asOwner(databaseUrl, async (owner) => {
    const { rows: tables } = await owner.query<{ name: string }>(
      `select relname as name from pg_class where relkind in ('r', 'p') and not relispartition and relrowsecurity
         and relnamespace = 'public'::regnamespace order by 1`,
    );
    const counted: Record<string, number> = {};
    for (const { name } of tables) {
      const column = name === 'tenants' ? 'id' : 'tenant_id';
      const { rows } = await owner.query(`select count(*)::int as rows from ${name} where ${column} = $1`, [tenantId]);
      if (rows[0]?.rows > 0) counted[name] = rows[0].rows;
    }
    return counted;
  });
}

test('servers are published and called in both eras, in its own database as in the common one', async () => {
  for (const tenant of [mine, beside]) {
    await publishBooks(tenant);
    await callBooks(tenant, 'default');
    await callBooks(tenant, '2026-07-28');
  }
});

function isSigned(signed: Webhook, { body, headers }: ReceivedMessage): boolean {
  try {
    signed.verify(body, { ...headers });
    return true;
  } catch {
    return false;
  }
}

test('webhooks are delivered', async () => {
  for (const { slug } of [mine, beside]) {
    const signed = new Webhook(secrets.get(slug) ?? '');
    const message = await until(() => receiver.messages.find((each) => isSigned(signed, each)), slug);
    expect(JSON.parse(message.body)).toMatchObject({ type: 'server.created' });
  }
});

test('what was called is counted in the ledger', async () => {
  for (const { key } of [mine, beside]) {
    await until(async () => {
      const { usage } = await json('GET', '/v1/usage?by=server', key);
      return usage.some((line: { server: string; calls: number }) => line.server === 'books' && line.calls >= 2);
    }, 'two calls in the ledger');
  }
});

test('the audit log is numbered, signed, and proves itself', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-apart-'));
  const { keys } = await json('GET', '/v1/audit/keys', mine.key);
  writeFileSync(path.join(folder, 'key'), `${keys[0].verifier_key}\n`);
  await asOwner(own.databaseUrl, (owner) =>
    owner.query(`update audit_trees set checkpoint_at = now() - interval '61 seconds'`),
  );
  const { size, note } = await until(async () => {
    const { checkpoints } = await json('GET', '/v1/audit/checkpoints', mine.key);
    return checkpoints.find((checkpoint: { size: number }) => checkpoint.size > 5);
  }, 'a checkpoint');
  writeFileSync(path.join(folder, 'checkpoint'), note);
  const lines = (await (await asked('GET', '/v1/audit/export', mine.key)).text()).split('\n').slice(0, size);
  writeFileSync(path.join(folder, 'export.ndjson'), lines.map((line) => `${line}\n`).join(''));
  const command = [path.resolve('bin/wharf-verify.mjs'), 'key', 'export.ndjson', 'checkpoint'];
  const run = spawnSync(process.execPath, command, { cwd: folder, encoding: 'utf8' });
  expect([run.status, run.stderr]).toEqual([0, '']);
  rmSync(folder, { recursive: true });
});

test('who is invited becomes a member there, with an account that is everybody’s', async () => {
  const token = await invite(own.databaseUrl, { tenantId: mine.id, email: 'guest@apart.example', role: 'developer' });
  const body = { token, password: 'a password of the guest' };
  expect(await json('POST', '/v1/invitations/acceptance', mine.key, body)).toMatchObject({ role: 'developer' });
  const hash = `select left(password_hash, 7) as hash, count(m.*)::int as members from accounts a
    left join members m on m.account_id = a.id where email = 'guest@apart.example' group by 1`;
  const found = await Promise.all(
    [wharf.databaseUrl, own.databaseUrl].map((url) => asOwner(url, async (owner) => (await owner.query(hash)).rows)),
  );
  expect(found).toEqual([[{ hash: '$argon2', members: 0 }], [{ hash: 'copied', members: 1 }]]);
});

test('an operator sees both, and what an operator does to it is so at once', async () => {
  const { tenants } = await json('GET', '/admin/v1/tenants', wharf.operatorKey);
  expect(tenants.map(({ slug }: { slug: string }) => slug).toSorted()).toEqual(['apart', 'beside']);
  const say = (what: string) =>
    asked('POST', `/admin/v1/tenants/apart/${what}`, wharf.operatorKey, { reason: 'a test of it' });
  await say('suspend');
  await expect(callBooks(mine, '2026-07-28')).rejects.toThrow();
  await callBooks(beside, '2026-07-28');
  await say('resume');
  await until(
    () =>
      callBooks(mine, '2026-07-28').then(
        () => true,
        () => false,
      ),
    'a call after it is resumed',
  );
});

test('the common database holds no row of it but its name, and its own none of the tenant beside it', async () => {
  expect(await rowsOf(wharf.databaseUrl, mine.id)).toEqual({ tenants: 1 });
  expect(await rowsOf(own.databaseUrl, beside.id)).toEqual({});
  const there = await rowsOf(own.databaseUrl, mine.id);
  const expected = ['audit_log', 'audit_checkpoints', 'releases', 'servers', 'usage_hours', 'webhook_deliveries'];
  expect(Object.keys(there)).toEqual(expect.arrayContaining(expected));
});

test('an operator has it moved to the common database and back, where agents call it as before', async () => {
  const where = '/admin/v1/tenants/apart/home';
  const limits = { calls_per_minute: 600, concurrent_calls: 8, servers_max: 3, worker_memory_mb: 256 };
  const plan = { ...limits, isolation_tier: 'dedicated', reason: 'a test of it' };
  await asked('PUT', '/admin/v1/plans/apart', wharf.operatorKey, plan);
  const assign = (name: string) =>
    asked('PUT', '/admin/v1/tenants/apart/plan', wharf.operatorKey, { plan: name, reason: 'a test of it' });
  await until(() => succeeds(assign('apart')), 'the plan there');
  const left = { common: own.databaseUrl, own: wharf.databaseUrl };
  for (const database of ['common', 'own'] as const) {
    await asked('PUT', where, wharf.operatorKey, { database, reason: 'a test of it' });
    const move = async () => (await json('GET', where, wharf.operatorKey)).last_move;
    await until(async () => (await move()).state === 'done', `the move to ${database}`);
    await until(() => succeeds(callBooks(mine, '2026-07-28')), `a call in ${database}`);
    expect(await rowsOf(left[database], mine.id)).toEqual(database === 'own' ? { tenants: 1 } : {});
  }
  expect((await json('GET', '/v1/audit?event=tenant.moved', mine.key)).records).toHaveLength(2);
  expect((await json('GET', '/v1/tenant', mine.key)).home).toEqual({ tier: 'dedicated' });
  await expect(assign('free')).rejects.toThrow('Move it to common');
});
