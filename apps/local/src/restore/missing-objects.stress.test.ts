import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { emptyDatabase, startObjectStore, testDatabase, type TestDatabase, type TestObjectStore } from '#libs/testing';
import { backUp } from '../backup/backup.js';

/** More than a page, so that none is looked for twice or passed over at its end. */
const OBJECTS = 1_003;
const MISSING = [3, 999, 1_002];

let source: TestDatabase;
let store: TestObjectStore;
let folder: string;
let keys: string[];
const tenants = [randomUUID(), randomUUID()];

beforeAll(async () => {
  [source, store] = await Promise.all([testDatabase(), startObjectStore()]);
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-missing-'));
  const rows = Array.from({ length: OBJECTS }, (_, at) => ({
    tenant: tenants[at % tenants.length] ?? '',
    digest: createHash('sha256').update(String(at)).digest('hex'),
    object: randomUUID(),
  }));
  keys = rows.map(({ tenant, digest, object }) => `${tenant}/${digest}.${object}`);
  for (const key of keys) store.objects.set(`here/${key}`, Buffer.from('x'));
  const owner = new Client({ connectionString: source.databaseUrl });
  await owner.connect();
  for (const [at, id] of tenants.entries())
    await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t${at}`]);
  await owner.query(
    `insert into blobs (tenant_id, digest, media_type, bytes, object)
     select (row->>'tenant')::uuid, 'sha256:' || (row->>'digest'), 'application/json', 1, (row->>'object')::uuid
     from jsonb_array_elements($1::jsonb) row`,
    [JSON.stringify(rows)],
  );
  await owner.end();
  await backUp({ ...source, folder: path.join(folder, 'backup') });
});

afterAll(async () => {
  await Promise.all([source.drop(), store.stop()]);
  rmSync(folder, { recursive: true });
});

/** `npm run restore` into a database of its own; how it ended, and what it said of objects. */
async function restored(settings: Readonly<Record<string, string>>, ...options: readonly string[]) {
  const target = await emptyDatabase();
  try {
    return await new Promise<{ status: unknown; said: string }>((resolve) => {
      const { PATH = '', HOME = '' } = process.env;
      execFile(
        process.execPath,
        [path.resolve('dist/apps/local/src/restore/main.js'), '--from', path.join(folder, 'backup'), ...options],
        {
          env: {
            PATH,
            HOME,
            WHARF_DATA_DIR: path.join(folder, 'data'),
            DATABASE_URL: target.databaseUrl,
            WHARF_MASTER_KEY: source.masterKey.reveal(),
            WHARF_INTAKE_KEY: 'k'.repeat(43),
            ...settings,
          },
        },
        (error, stdout, stderr) => resolve({ status: error?.code ?? 0, said: `${stdout}${stderr}` }),
      );
    });
  } finally {
    await target.drop();
  }
}

test('a restore whose objects are all there says nothing of them', async () => {
  const { status, said } = await restored(store.settings);
  expect([status, said.includes('object')]).toEqual([0, false]);
  expect(store.requests.filter((request) => request.startsWith('HEAD'))).toHaveLength(OBJECTS);
});

test('objects that are gone are listed one by one, and the restore is not a success unless that was accepted', async () => {
  for (const at of MISSING) store.objects.delete(`here/${keys[at]}`);
  for (const [options, expected] of [
    [[], 3],
    [['--missing-objects', 'accept'], 0],
  ] as const) {
    const { status, said } = await restored(store.settings, ...options);
    expect(status).toBe(expected);
    const listed = [...said.matchAll(/^ {2}artefact sha256:\w{64} of tenant [\w-]+: no object (.+)$/gm)].map(
      ([, key]) => key,
    );
    expect(listed.toSorted()).toEqual(MISSING.map((at) => keys[at]).toSorted());
    expect(said).toContain(`3 of the ${OBJECTS} artefacts and archives`);
    expect(said).toContain('Every row is restored.');
    expect(said).not.toContain('Nothing was restored');
  }
});

test('a restore that cannot look for objects says why, and what they are needed for', async () => {
  const { status, said } = await restored({});
  expect(status).toBe(3);
  expect(said).toContain(`${OBJECTS} artefacts and archives are in the object store`);
  expect(said).toContain('WHARF_BLOBS_URL is not set');
  store.failNext({ status: 403, code: 'AccessDenied' });
  expect(await restored(store.settings)).toMatchObject({
    status: 3,
    said: expect.stringContaining('not all looked for'),
  });
});
