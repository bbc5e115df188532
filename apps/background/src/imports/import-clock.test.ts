import { createHash, generateKeyPairSync } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Database, newId } from '#libs/database';
import { masterKeyId, sealWithMaster } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { FORMAT, newExportKey, signManifest, type ArchiveManifest } from '#libs/tenant-archive';
import { importSecretPurpose, PLATFORM } from '#libs/tenant-import';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { ZipFile } from 'yazl';
import { ImportClock } from './import-clock.js';
import { PART_BYTES } from './part-reader.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const trusted = [publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64url')];
const PASSPHRASE = 'a long passphrase of the owner';
let store: TestDatabase;
let owner: Client;
let background: Database;
let lifeCycle: Database;
let clock: ImportClock;

beforeAll(async () => {
  store = await testDatabase();
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  background = await Database.connect({ ...store, role: 'wharf_background', poolSize: 3 });
  lifeCycle = await Database.connect({ ...store, role: 'wharf_life_cycle', poolSize: 1 });
  const { masterKey } = store;
  clock = new ImportClock({ database: background, lifeCycle, masterKey }, createLogger('background', 'fatal'));
});

afterAll(async () => {
  await Promise.all([background?.close(), lifeCycle?.close(), owner?.end()]);
  await store?.drop();
});

/** An archive that is as large as two parts: bytes that do not compress, kept as they are. */
async function archive(tenantId: string, slug: string): Promise<Buffer> {
  const content = Buffer.alloc(PART_BYTES + 1_000, slug);
  const digest = createHash('sha256').update(content).digest('hex');
  const rows = {
    tenants: [{ id: tenantId, slug, name: 'Moved', plan: 'scale' }],
    blobs: [{ tenant_id: tenantId, digest: `sha256:${digest}`, bytes: content.length, media_type: 'text/plain' }],
  };
  const files = [
    ...Object.entries(rows).map(
      ([name, lines]) =>
        [`tables/${name}.ndjson`, Buffer.from(lines.map((row) => JSON.stringify(row)).join('\n'))] as const,
    ),
    [`blobs/${digest}`, content] as const,
  ];
  const zip = new ZipFile();
  for (const [name, bytes] of files) zip.addBuffer(bytes, name, { compress: false });
  const manifest: ArchiveManifest = {
    format: FORMAT,
    made_at: new Date().toISOString(),
    source: 'https://elsewhere.example',
    export: newId(),
    tenant: { id: tenantId, slug, name: 'Moved' },
    migrations: [],
    key: (await newExportKey({ kind: 'passphrase', passphrase: PASSPHRASE })).envelope,
    tables: Object.keys(rows),
    left_out: {},
    files: files.map(([path, bytes]) => ({
      path,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })),
  };
  zip.addBuffer(Buffer.from(await signManifest(manifest, privateKey)), 'manifest.jws');
  zip.end();
  return buffer(zip.outputStream);
}

/** An import that waits, as the management API leaves it. */
async function waiting(bytes: Buffer, passphrase = PASSPHRASE): Promise<string> {
  const id = newId();
  const secret = Buffer.from(JSON.stringify({ kind: 'passphrase', value: passphrase }));
  await owner.query(
    `insert into tenant_imports (id, state, bytes, digest, trusted, plan, reason, requested_by, sealed, root_key_id)
     values ($1, 'waiting', $2, $3, $4, 'team', 'it moves here', $5, $6, $7)`,
    [
      id,
      bytes.length,
      `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
      trusted,
      PLATFORM,
      sealWithMaster(store.masterKey, importSecretPurpose(id), secret),
      masterKeyId(store.masterKey),
    ],
  );
  for (let number = 0; number * PART_BYTES < bytes.length; number += 1) {
    const content = bytes.subarray(number * PART_BYTES, (number + 1) * PART_BYTES);
    await owner.query(
      `insert into tenant_import_parts (import_id, number, digest, bytes, content) values ($1, $2, 'sha256:x', $3, $4)`,
      [id, number, content.length, content],
    );
  }
  return id;
}

async function rowOf(id: string) {
  const { rows } = await owner.query(
    `select state, failure, imported_id, imported_slug, sealed, root_key_id,
       (select count(*)::int from tenant_import_parts where import_id = $1) as parts from tenant_imports where id = $1`,
    [id],
  );
  return rows[0];
}

async function tenantOf(id: string) {
  const { rows } = await owner.query(`select slug, plan, status, home_region from tenants where id = $1`, [id]);
  return rows[0];
}

test('an archive of several parts comes in with the plan that the operator chose, and its bytes and secret go', async () => {
  const tenantId = newId();
  const id = await waiting(await archive(tenantId, 'moved-here'));
  expect(await clock.look()).toBe(1);
  const kept = { failure: null, sealed: null, root_key_id: null, parts: 0 };
  expect(await rowOf(id)).toEqual({ state: 'done', imported_id: tenantId, imported_slug: 'moved-here', ...kept });
  expect(await tenantOf(tenantId)).toEqual({ slug: 'moved-here', plan: 'team', status: 'active', home_region: null });
  const { rows } = await owner.query(`select action, reason from operator_actions where tenant_id = $1`, [tenantId]);
  expect(rows).toEqual([{ action: 'tenants.imported', reason: 'it moves here' }]);
});

test('an import that was cut off is begun anew by whoever finds it, and by nobody while it lives', async () => {
  const tenantId = newId();
  const id = await waiting(await archive(tenantId, 'cut-off'));
  const taken = (until: string) =>
    owner.query(`update tenant_imports set state = 'writing', run_id = $2, run_until = ${until} where id = $1`, [
      id,
      newId(),
    ]);
  await taken(`now() + interval '1 hour'`);
  expect(await clock.look()).toBe(0);
  await taken(`now() - interval '1 second'`);
  expect(await clock.look()).toBe(1);
  expect(await rowOf(id)).toMatchObject({ state: 'done', imported_id: tenantId });
});

test.each([
  [
    'other bytes than were said',
    async (bytes: Buffer) => {
      const id = await waiting(bytes);
      await owner.query(`update tenant_imports set digest = 'sha256:' || repeat('0', 64) where id = $1`, [id]);
      return id;
    },
    'another SHA-256',
  ],
  ['the middle of an archive', async (bytes: Buffer) => waiting(bytes.subarray(1_000, -1_000)), 'cannot be read'],
])('%s ends in a sentence that says so, and nothing is changed', async (_, prepare, sentence) => {
  const tenantId = newId();
  const id = await prepare(await archive(tenantId, `t-${tenantId.slice(-12)}`));
  await clock.look();
  expect(await rowOf(id)).toMatchObject({ state: 'failed', failure: expect.stringContaining(sentence), parts: 0 });
  expect(await tenantOf(tenantId)).toBeUndefined();
});

/** As the management API does it, with other choices. */
const retried = (id: string, slug: string | null, passphrase = PASSPHRASE) =>
  owner.query(
    `update tenant_imports set state = 'waiting', slug = $2, sealed = $3, root_key_id = $4, failure = null, ended_at = null,
       attempts = 0, kept_until = null where id = $1`,
    [
      id,
      slug,
      sealWithMaster(
        store.masterKey,
        importSecretPurpose(id),
        Buffer.from(JSON.stringify({ kind: 'passphrase', value: passphrase })),
      ),
      masterKeyId(store.masterKey),
    ],
  );

test('what failed for another reason than its archive keeps its parts for days, and comes in when it is tried again', async () => {
  const tenantId = newId();
  await owner.query(`insert into tenants (id, slug, name) values ($1, 'taken-here', 'Taken')`, [newId()]);
  const id = await waiting(await archive(tenantId, 'taken-here'), 'another passphrase');
  await clock.look();
  const failed = { state: 'failed', parts: 2, sealed: null };
  expect(await rowOf(id)).toMatchObject({ ...failed, failure: expect.stringContaining('This is not the passphrase') });
  await retried(id, null);
  await clock.look();
  expect(await rowOf(id)).toMatchObject({ ...failed, failure: expect.stringContaining('is taken here') });
  await retried(id, 'free-here');
  await clock.look();
  expect(await rowOf(id)).toMatchObject({ state: 'done', imported_id: tenantId, imported_slug: 'free-here', parts: 0 });
  const late = await waiting(await archive(newId(), 'late-here'), 'another passphrase');
  await clock.look();
  expect((await rowOf(late)).parts).toBe(2);
  await owner.query(`update tenant_imports set kept_until = now() - interval '1 second' where id = $1`, [late]);
  await clock.look();
  expect((await rowOf(late)).parts).toBe(0);
});

test('an import that ends its process each time is begun three times and then failed; it can be tried again', async () => {
  const id = await waiting(await archive(newId(), 'never-here'));
  await owner.query(
    `update tenant_imports set state = 'writing', attempts = 3, run_id = $2, run_until = now() - interval '1 minute'
     where id = $1`,
    [id, newId()],
  );
  expect(await clock.look()).toBe(0);
  expect(await rowOf(id)).toMatchObject({ state: 'failed', failure: expect.stringContaining('cut off'), parts: 2 });
});

test('of an import that an operator has given up, also while it ran, no bytes stay', async () => {
  const id = await waiting(await archive(newId(), 'given-up'));
  await owner.query(`update tenant_imports set state = 'cancelled', sealed = null, root_key_id = null where id = $1`, [
    id,
  ]);
  expect(await clock.look()).toBe(0);
  expect(await rowOf(id)).toMatchObject({ state: 'cancelled', imported_id: null, parts: 0 });
});

test('a slug that is taken, and a tenant that is here, are said so', async () => {
  const tenantId = newId();
  const slug = await waiting(await archive(tenantId, 'moved-here'));
  await clock.look();
  expect((await rowOf(slug)).failure).toContain('The slug moved-here is taken');
  await waiting(await archive(tenantId, 'unique'));
  await clock.look();
  const again = await waiting(await archive(tenantId, 'unique-too'));
  await clock.look();
  expect((await rowOf(again)).failure).toContain('in this installation already');
  expect((await tenantOf(tenantId)).slug).toBe('unique');
});
