import { createHash, generateKeyPairSync } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '#libs/database';
import { FORMAT, signManifest, type ArchiveManifest } from '#libs/tenant-archive';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { ZipFile } from 'yazl';
import { importTenant } from './import-tenant.js';

/** Archives that a trusted installation has signed, and that hold what no export writes. */
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const trusted = [publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url')];
const present = newId();
let store: TestDatabase;
let owner: Client;
let folder: string;

beforeAll(async () => {
  store = await testDatabase();
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  folder = await mkdtemp(path.join(tmpdir(), 'import-'));
  await owner.query(`insert into tenants (id, slug, name) values ($1, 'present', 'Present')`, [present]);
});

afterAll(async () => {
  await owner?.end();
  await store?.drop();
  await rm(folder, { recursive: true, force: true });
});

type Rows = Readonly<Record<string, ReadonlyArray<Record<string, unknown>>>>;

async function imported(tenantId: string, tables: Rows, blobs: Readonly<Record<string, string>> = {}) {
  const slug = `t-${tenantId.slice(-12)}`;
  const rows: Rows = { tenants: [{ id: tenantId, slug, name: 'Moved', plan: 'free' }], ...tables };
  const texts = Object.entries(rows).map(
    ([name, lines]) => [`tables/${name}.ndjson`, lines.map((line) => `${JSON.stringify(line)}\n`).join('')] as const,
  );
  const zip = new ZipFile();
  const files = [...texts, ...Object.entries(blobs)].map(([name, text]) => {
    zip.addBuffer(Buffer.from(text), name);
    return { path: name, bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex') };
  });
  const manifest: ArchiveManifest = {
    format: FORMAT,
    made_at: new Date().toISOString(),
    source: 'https://elsewhere.example',
    export: newId(),
    tenant: { id: tenantId, slug, name: 'Moved' },
    migrations: [],
    key: null,
    tables: Object.keys(rows),
    left_out: {},
    files,
  };
  zip.addBuffer(Buffer.from(await signManifest(manifest, privateKey)), 'manifest.jws');
  zip.end();
  const file = path.join(folder, `${newId()}.zip`);
  await pipeline(zip.outputStream, createWriteStream(file));
  return importTenant({ ...store, file, trusted, secret: undefined, slug: undefined });
}

async function countIn(table: string): Promise<number> {
  const { rows } = await owner.query(`select count(*)::int as n from ${table}`);
  return rows[0].n;
}

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
  const before = await Promise.all(['usage_months', 'call_limits', 'members', 'tenants', 'accounts'].map(countIn));
  for (const tables of foreign) await expect(imported(tenantId, tables)).rejects.toThrow(/not of the archive’s tenant/);
  const after = await Promise.all(['usage_months', 'call_limits', 'members', 'tenants', 'accounts'].map(countIn));
  expect(after).toEqual(before);
  await expect(imported(tenantId, { usage_months: [call(tenantId)] })).resolves.toMatchObject({ tenantId });
});

test('an archive says neither where bytes are here nor who may serve the tenant, and its bytes are what they are called', async () => {
  const tenantId = newId();
  const digest = createHash('sha256').update('expected').digest('hex');
  const blob = { tenant_id: tenantId, digest: `sha256:${digest}`, bytes: 8, media_type: 'application/json' };
  const named = { [`blobs/${digest}`]: 'expected' };
  await expect(imported(tenantId, { blobs: [{ ...blob, object: newId() }] }, named)).rejects.toThrow(/blobs\.object/);
  const tenant = { id: tenantId, slug: 'x', name: 'Moved', plan: 'free', home_region: 'eu' };
  await expect(imported(tenantId, { tenants: [tenant] })).rejects.toThrow(/tenants\.home_region/);
  await expect(imported(tenantId, { blobs: [blob] }, { [`blobs/${digest}`]: 'replaced' })).rejects.toThrow(
    /is not what it is called/,
  );
});

test('an address that nobody has confirmed here opens no tenant that is imported', async () => {
  const [squatter, known, tenantId] = [newId(), newId(), newId()];
  await owner.query(
    `insert into accounts (id, email, password_hash, email_verified_at) values
       ($1, 'ada@example.com', 'of somebody', null), ($2, 'grace@example.com', 'her own', now())`,
    [squatter, known],
  );
  await owner.query(
    `insert into oauth_artifacts (model, id_hash, payload, account_id) values ('Session', 'open', '{}', $1)`,
    [squatter],
  );
  const member = (email: string) => ({ tenant_id: tenantId, account_id: newId(), email, role: 'owner' });
  await imported(tenantId, { members: [member('ada@example.com'), member('grace@example.com')] });
  const { rows } = await owner.query(
    `select a.id, a.password_hash, a.sessions_ended_at is not null as ended from accounts a
     join members m on m.account_id = a.id where m.tenant_id = $1 order by a.email`,
    [tenantId],
  );
  expect(rows).toEqual([
    { id: squatter, password_hash: expect.stringMatching(/^\$argon2/), ended: true },
    { id: known, password_hash: 'her own', ended: false },
  ]);
  expect(await countIn('oauth_artifacts')).toBe(0);
});
