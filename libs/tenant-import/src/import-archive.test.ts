import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import type { ArchiveManifest } from '#libs/tenant-archive';
import { ImportStage } from './import-stage.fixture.js';

type Rows = Parameters<ImportStage['imported']>[1];

const present = newId();
let stage: ImportStage;

beforeAll(async () => {
  stage = await ImportStage.open();
  await stage.owner.query(`insert into tenants (id, slug, name) values ($1, 'present', 'Present')`, [present]);
});

afterAll(() => stage?.close());

const call = (tenantId: string) => ({ tenant_id: tenantId, month: '2026-11-01', calls: 7, tool_ms: 1, bytes: 1 });

test('an archive writes rows of its own tenant alone, whatever its rows say', async () => {
  const tenantId = newId();
  const limit = {
    name: 'none',
    per: [],
    tools: [],
    clients: [],
    calls: 1,
    window_seconds: 60,
    when_uncertain: 'allow',
  };
  const foreign: Rows[] = [
    { usage_months: [call(tenantId), call(present)] },
    { call_limits: [{ ...limit, tenant_id: present }] },
    { members: [{ tenant_id: present, account_id: newId(), email: 'intruder@example.com', role: 'owner' }] },
    { tenants: [{ id: newId(), slug: 'x', name: 'Another', plan: 'free' }] },
  ];
  const counts = async (): Promise<number[]> => {
    const counted = [];
    for (const table of ['usage_months', 'call_limits', 'members', 'tenants', 'accounts'])
      counted.push(await stage.countIn(table));
    return counted;
  };
  const before = await counts();
  for (const tables of foreign)
    await expect(stage.imported(tenantId, tables)).rejects.toThrow(/not of the archive’s tenant/);
  expect(await counts()).toEqual(before);
  await expect(stage.imported(tenantId, { usage_months: [call(tenantId)] })).resolves.toMatchObject({ tenantId });
});

test('an archive says neither where bytes are here nor who may serve the tenant, and its bytes are what they are called', async () => {
  const tenantId = newId();
  const digest = createHash('sha256').update('expected').digest('hex');
  const blob = { tenant_id: tenantId, digest: `sha256:${digest}`, bytes: 8, media_type: 'application/json' };
  const named = { [`blobs/${digest}`]: 'expected' };
  await expect(stage.imported(tenantId, { blobs: [{ ...blob, object: newId() }] }, { texts: named })).rejects.toThrow(
    /blobs\.object/,
  );
  const tenant = { id: tenantId, slug: 'x', name: 'Moved', plan: 'free', home_region: 'eu' };
  await expect(stage.imported(tenantId, { tenants: [tenant] })).rejects.toThrow(/tenants\.home_region/);
  await expect(
    stage.imported(tenantId, { blobs: [blob] }, { texts: { [`blobs/${digest}`]: 'replaced' } }),
  ).rejects.toThrow(/is not what it is called/);
});

test('a tenant whose slug is written like an id is brought in under another one alone', async () => {
  const tenantId = newId();
  const manifest = (written: ArchiveManifest): ArchiveManifest => ({
    ...written,
    tenant: { ...written.tenant, slug: present },
  });
  await expect(stage.imported(tenantId, {}, { manifest })).rejects.toThrow(/Name another one/);
  expect((await stage.owner.query(`select from tenants where id = $1`, [tenantId])).rows).toEqual([]);
});

test('an address that nobody has confirmed here opens no tenant that is imported', async () => {
  const [squatter, known, tenantId] = [newId(), newId(), newId()];
  await stage.owner.query(
    `insert into accounts (id, email, password_hash, email_verified_at) values
       ($1, 'ada@example.com', 'of somebody', null), ($2, 'grace@example.com', 'her own', now())`,
    [squatter, known],
  );
  await stage.owner.query(
    `insert into oauth_artifacts (model, id_hash, payload, account_id) values ('Session', 'open', '{}', $1)`,
    [squatter],
  );
  const member = (email: string) => ({ tenant_id: tenantId, account_id: newId(), email, role: 'owner' });
  await stage.imported(tenantId, { members: [member('ada@example.com'), member('grace@example.com')] });
  const { rows } = await stage.owner.query(
    `select a.id, a.password_hash, a.sessions_ended_at is not null as ended from accounts a
     join members m on m.account_id = a.id where m.tenant_id = $1 order by a.email`,
    [tenantId],
  );
  expect(rows).toEqual([
    { id: squatter, password_hash: expect.stringMatching(/^\$argon2/), ended: true },
    { id: known, password_hash: 'her own', ended: false },
  ]);
  expect(await stage.countIn('oauth_artifacts')).toBe(0);
});

test('keys and clients that come in are of the same people, as they are called here, and of nobody who stayed away', async () => {
  const [here, there, stranger, tenantId] = [newId(), newId(), newId(), newId()];
  await stage.owner.query(
    `insert into accounts (id, email, password_hash, email_verified_at) values ($1, 'edith@example.com', 'hers', now())`,
    [here],
  );
  const row = { tenant_id: tenantId, name: 'agent', scopes: ['mcp'], created_at: new Date().toISOString() };
  const key = (name: string, by: string) => ({
    ...row,
    id: newId(),
    name,
    key_hash: name,
    prefix: 'p',
    created_by: by,
  });
  const client = { ...row, id: `c-${tenantId}`, kind: 'public', auth_method: 'none', redirect_uris: [], enabled: true };
  await stage.imported(tenantId, {
    members: [{ tenant_id: tenantId, account_id: there, email: 'edith@example.com', role: 'owner' }],
    api_keys: [key('hers', there), key('of a stranger', stranger)],
    clients: [{ ...client, created_by: stranger, secret_given_to: [stranger, there] }],
  });
  const { rows: keys } = await stage.owner.query(
    `select name, created_by from api_keys where tenant_id = $1 order by name`,
    [tenantId],
  );
  expect(keys).toEqual([
    { name: 'hers', created_by: here },
    { name: 'of a stranger', created_by: null },
  ]);
  const { rows: clients } = await stage.owner.query(
    `select created_by, secret_given_to from clients where tenant_id = $1`,
    [tenantId],
  );
  expect(clients).toEqual([{ created_by: null, secret_given_to: [here] }]);
});

test('times of an archive are kept, and what came due on its way is spread and not done at once', async () => {
  const [tenantId, serverId, baseId] = [newId(), newId(), newId()];
  const [then, past, future] = ['2024-02-03T04:05:06.789Z', '2024-03-03T00:00:00.000Z', '2099-01-01T00:00:00.000Z'];
  const at = { tenant_id: tenantId, server_id: serverId };
  const probe = (name: string, due: string | null) => ({
    ...at,
    id: newId(),
    name,
    tool: 't',
    arguments: {},
    expect: {},
    allow_effects: false,
    enabled: true,
    every_seconds: 3_600,
    due_at: due,
    state: 'passing',
    created_at: then,
  });
  const digest = createHash('sha256').update('{}').digest('hex');
  const release = {
    ...at,
    id: baseId,
    number: 1,
    kind: 'remote',
    digest: `sha256:${digest}`,
    state: 'live',
    report: {},
    tools: {},
  };
  const key = { tenant_id: tenantId, id: newId(), name: 'k', key_hash: 'h', prefix: 'p', scopes: ['mcp'] };
  const candidate = { ...at, id: newId(), base_release_id: baseId, fingerprint: 'f', state: 'queued' };
  await stage.imported(
    tenantId,
    {
      blobs: [{ tenant_id: tenantId, digest: `sha256:${digest}`, bytes: 2, media_type: 'application/json' }],
      servers: [{ tenant_id: tenantId, id: serverId, slug: 'far', name: 'Far', created_at: then }],
      releases: [{ ...release, created_by: {}, created_at: then }],
      api_keys: [{ ...key, created_at: then, expires_at: past }],
      probes: [probe('late', past), probe('early', future), probe('never', null)],
      drift_watches: [{ ...at, policy: 'auto', due_at: past, hinted_looks: 0, checked_at: then }],
      drift_candidates: [{ ...candidate, found_at: then, seen_at: then }],
    },
    { texts: { [`blobs/${digest}`]: '{}' } },
  );
  const read = async (sql: string) => (await stage.owner.query(sql, [tenantId])).rows;
  expect(await read(`select created_at, expires_at from api_keys where tenant_id = $1`)).toEqual([
    { created_at: new Date(then), expires_at: new Date(past) },
  ]);
  expect(await read(`select checked_at, due_at > now() as later from drift_watches where tenant_id = $1`)).toEqual([
    { checked_at: new Date(then), later: true },
  ]);
  const probes = await read(
    `select name, created_at, due_at > now() as later, due_at < now() + interval '1 hour' as soon from probes
     where tenant_id = $1 order by name`,
  );
  expect(probes).toEqual([
    { name: 'early', created_at: new Date(then), later: true, soon: false },
    { name: 'late', created_at: new Date(then), later: true, soon: true },
    { name: 'never', created_at: new Date(then), later: null, soon: null },
  ]);
  expect(await read(`select state, found_at from drift_candidates where tenant_id = $1`)).toEqual([
    { state: 'pending', found_at: new Date(then) },
  ]);
});
