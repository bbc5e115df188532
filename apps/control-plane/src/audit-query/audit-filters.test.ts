import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import { PersonKeys } from '#libs/secrets';
import { TEST_MASTER_KEY } from '#libs/testing';
import { Client } from 'pg';
import { startControlPlane, type ControlPlane, type TestTenant } from '../testing/control-plane.fixture.js';

let api: ControlPlane;
let tenant: TestTenant;
let other: TestTenant;
let owner: Client;
let background: Database;
const leaves = new Map<string, number>();

beforeAll(async () => {
  api = await startControlPlane();
  [tenant, other] = [await api.newTenant(), await api.newTenant()];
  owner = new Client({ connectionString: api.databaseUrl });
  await owner.connect();
  background = await Database.connect({
    databaseUrl: api.databaseUrl,
    role: 'wharf_background',
    masterKey: TEST_MASTER_KEY,
  });
});

afterAll(async () => {
  await Promise.all([owner.end(), background.close()]);
  await api.stop();
});

interface Kept {
  readonly outcome?: string;
  readonly actor?: object;
  readonly details?: object;
  readonly address?: string;
  readonly at?: Date;
  /** What is sealed for its person. */
  readonly personal?: { readonly source_address: string; readonly details: object };
}

/** A call's record as the background service keeps it; gives its id. */
async function keep({ id: tenantId }: TestTenant, record: Kept): Promise<string> {
  const id = newId();
  const leaf = leaves.get(tenantId) ?? 0;
  leaves.set(tenantId, leaf + 1);
  const actor = record.actor ?? { kind: 'api-key', id: 'k' };
  const { id: personId } = actor as { id: string };
  const sealed =
    record.personal === undefined
      ? null
      : await background.asTenant(tenantId, async (tx) => {
          const seal = await new PersonKeys(TEST_MASTER_KEY).sealer(tx, tenantId, [personId]);
          return seal({ personId, value: record.personal, context: id });
        });
  await owner.query(
    `insert into audit_log (tenant_id, id, leaf_index, at, event, actor, target, outcome, details, personal, source_address)
     values ($1, $2, $3, $4, 'call.completed', $5, 'server:s', $6, $7, $8, $9)`,
    [
      tenantId,
      id,
      leaf,
      record.at ?? new Date(),
      actor,
      record.outcome ?? 'ok',
      { method: 'tools/call', era: 'modern', ...record.details },
      sealed,
      record.address ?? null,
    ],
  );
  return id;
}

async function ids(query: string, of = tenant): Promise<string[]> {
  const { status, body, text } = await api.send('GET', `/v1/audit?event=call.completed&${query}`, { key: of.key });
  if (status !== 200) throw new Error(text);
  return body.records.map((record: { id: string }) => record.id);
}

const RELEASE = { id: newId(), digest: `sha256:${'a'.repeat(64)}` };

test.each([
  ['method=prompts/get', { details: { method: 'prompts/get' } }],
  ['era=legacy', { details: { era: 'legacy' } }],
  ['rule=plan.calls_per_minute', { details: { rule: 'plan.calls_per_minute' } }],
  ['http_status=429', { details: { http_status: 429 } }],
  ['rpc_code=-32602', { details: { rpc_code: -32602 } }],
  ['duration_ms_min=5000', { details: { duration_ms: 5000.5 } }],
  ['duration_ms_max=2', { details: { duration_ms: 1.5 } }],
  ['duration_ms_min=100&duration_ms_max=200', { details: { duration_ms: 150 } }],
  ['queue_ms_min=700', { details: { queue_ms: 800.5 } }],
  ['worker_ms_min=700&worker_ms_max=900', { details: { worker_ms: 800 } }],
  ['upstream_ms_max=3', { details: { upstream_ms: 2 } }],
  ['bytes_in_max=9', { details: { bytes_in: 9 } }],
  ['bytes_out_min=5000000000', { details: { bytes_out: 5_000_000_000 } }],
  [`release=${RELEASE.id}`, { details: { release: RELEASE } }],
  [
    `release=${encodeURIComponent(`sha256:${'b'.repeat(64)}`)}`,
    { details: { releases: [{ ...RELEASE, id: 'x', digest: `sha256:${'b'.repeat(64)}` }] } },
  ],
  ['actor_kind=client', { actor: { kind: 'client', id: 'c' } }],
  ['acting=agent-2', { actor: { kind: 'person', id: 'p', client: 'a', acting: ['agent-1', 'agent-2'] } }],
  ['source_address=203.0.113.7', { address: '203.0.113.7' }],
  ['arguments_digest=sha256:open', { details: { arguments_digest: 'sha256:open' } }],
  ['outcome=deadline', { outcome: 'deadline' }],
])('%s finds the record that says so, no other, and never another tenant’s', async (query, record) => {
  await keep(tenant, { details: { duration_ms: 50, http_status: 200 }, actor: { kind: 'api-key', id: 'plain' } });
  const wanted = await keep(tenant, record);
  await keep(other, record);
  expect(await ids(query)).toEqual([wanted]);
  expect(await ids(query, other)).toHaveLength(1);
});

test('a tool is found by its name wherever it was called, with its server’s prefix or without', async () => {
  const reader = await api.newTenant();
  const named = (name: string, details: object = {}) =>
    keep(reader, { details: { method: 'tools/call', name, ...details } });
  const onTenantUrl = await named('code__get', { server: 'code' });
  const onServerUrl = await named('get', { server: 'code' });
  const prompt = await named('code__get', { method: 'prompts/get' });
  const ofOther = await named('get', { server: 'desk' });
  await named('forget', { server: 'code' });
  await named('code__forget', { server: 'code' });
  await named('docs://code__get', { method: 'resources/read' });
  expect(await ids('tool=get', reader)).toEqual([ofOther, prompt, onServerUrl, onTenantUrl]);
  expect(await ids('tool=get&server=code', reader)).toEqual([onServerUrl, onTenantUrl]);
  expect(await ids('tool=code__get', reader)).toEqual([prompt, onServerUrl, onTenantUrl]);
  expect(await ids('tool=desk__get', reader)).toEqual([ofOther]);
});

test('what is sealed for a person is found by it too, until the person is erased', async () => {
  const personId = newId();
  const personal = { source_address: '198.51.100.4', details: { arguments_digest: 'sha256:sealed' } };
  const actor = { kind: 'person', id: personId, client: 'a' };
  const wanted = await keep(tenant, { actor, personal });
  await keep(tenant, { actor, personal: { source_address: '198.51.100.5', details: {} } });
  expect(await ids('source_address=198.51.100.4')).toEqual([wanted]);
  expect(await ids('arguments_digest=sha256:sealed&source_address=198.51.100.4')).toEqual([wanted]);
  const exported = await api.send('GET', '/v1/audit/export?source_address=198.51.100.4', { key: tenant.key });
  expect(
    exported.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).record.id),
  ).toEqual([wanted]);
  await api.send('DELETE', `/v1/audit/people/${personId}`, { key: tenant.key });
  expect(await ids('source_address=198.51.100.4')).toEqual([]);
});

test('a resource is found by its URI, sealed or not, until the person who read it is erased', async () => {
  const personId = newId();
  const [uri, method] = ['customers://jane@example.com', 'resources/read'];
  const actor = { kind: 'person', id: personId, client: 'a' };
  const sealed = await keep(tenant, {
    actor,
    details: { method },
    personal: { source_address: '198.51.100.6', details: { name: uri } },
  });
  await keep(tenant, {
    actor,
    details: { method },
    personal: { source_address: '198.51.100.6', details: { name: 'customers://joe' } },
  });
  const ofKey = await keep(tenant, { details: { method, name: uri } });
  expect(await ids(`tool=${encodeURIComponent(uri)}`)).toEqual([ofKey, sealed]);
  await api.send('DELETE', `/v1/audit/people/${personId}`, { key: tenant.key });
  expect(await ids(`tool=${encodeURIComponent(uri)}`)).toEqual([ofKey]);
});

test('a rare record far back is found page by page, each of which looks at ten thousand records', async () => {
  const reader = await api.newTenant();
  const wanted = await keep(reader, { details: { rule: 'rare' } });
  await owner.query(
    `insert into audit_log (tenant_id, id, leaf_index, at, event, actor, target, outcome, details)
     select $1, ('01ffffff-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n, now(), 'call.completed',
       '{"kind":"system","id":"x"}', 'server:s', 'ok', '{}' from generate_series(1, 10050) n`,
    [reader.id],
  );
  const page = async (cursor: string) =>
    (await api.send('GET', `/v1/audit?rule=rare${cursor}`, { key: reader.key })).body;
  const first = await page('');
  expect([first.records, first.next_cursor]).toEqual([[], expect.any(String)]);
  const second = await page(`&cursor=${first.next_cursor}`);
  expect([second.records.map(({ id }: { id: string }) => id), second.next_cursor]).toEqual([[wanted], null]);
  const exported = await api.send('GET', '/v1/audit/export?format=csv&rule=rare', { key: reader.key });
  expect(exported.text.trim().split('\r\n')).toHaveLength(2);
});

test.each([
  'http_status=600',
  'http_status=ok',
  'rpc_code=1e9',
  'duration_ms_min=-1',
  'bytes_in_min=many',
  'era=future',
  'actor_kind=robot',
  'made_up=1',
])('refuses %s', async (query) => {
  expect((await api.send('GET', `/v1/audit?${query}`, { key: tenant.key })).status).toBe(400);
});

test.each(['/v1/audit?', '/v1/audit/export?', '/admin/v1/actions?'])(
  'refuses an outcome that nothing can have, and names those there are: %s',
  async (path) => {
    const key = path.startsWith('/admin') ? api.operatorKey : tenant.key;
    const { status, text } = await api.send('GET', `${path}outcome=sucess`, { key });
    expect([status, text]).toEqual([400, expect.stringContaining('failed')]);
    expect((await api.send('GET', `${path}outcome=failed`, { key })).status).toBe(200);
  },
);
