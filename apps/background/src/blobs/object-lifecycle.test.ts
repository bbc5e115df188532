import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import {
  BlobStore,
  deleteUnusedBlobs,
  digestOf,
  findBlob,
  findDueObjects,
  findPlaced,
  keepBlob,
  openBlobStore,
  putBlob,
  secondsSinceOldestDue,
  STORED_BYTES_MAX,
} from '#libs/blobs';
import { objectStoreShape, parseConfig, PLATFORM_KEYS } from '#libs/config';
import { Database, newId } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { startObjectStore, testDatabase, type TestDatabase, type TestObjectStore } from '#libs/testing';
import { Client } from 'pg';
import { z } from 'zod';
import { BlobMover } from './blob-mover.js';
import { ObjectSweeper } from './object-sweeper.js';

const ZIP = 'application/zip';
/** Refused at once, where a store that is away is asked four times. */
const REFUSED = { status: 403, code: 'AccessDenied' };
const logger = createLogger('test', 'silent');
const told = jest.spyOn(logger, 'error');

let store: TestDatabase;
let objectStore: TestObjectStore;
let control: Database;
let background: Database;
let owner: Client;
/** As the control-plane has it. */
let blobs: BlobStore;
let sweeper: ObjectSweeper;
let mover: BlobMover;
let tenantId: string;

beforeAll(async () => {
  [store, objectStore] = await Promise.all([testDatabase(), startObjectStore()]);
  control = await Database.connect({ ...store, role: 'wharf_control' });
  background = await Database.connect({ ...store, role: 'wharf_background' });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  const config = parseConfig(z.object(objectStoreShape), objectStore.settings, PLATFORM_KEYS);
  const open = (database: Database) => openBlobStore(database, config, () => undefined);
  blobs = await open(control);
  const ofBackground = await open(background);
  sweeper = new ObjectSweeper(background, ofBackground, logger);
  mover = new BlobMover(background, ofBackground, logger);
});

afterAll(async () => {
  await Promise.all([control.close(), background.close(), owner.end()]);
  await Promise.all([store.drop(), objectStore.stop()]);
});

beforeEach(async () => {
  told.mockClear();
  tenantId = await newTenant();
});

async function newTenant(): Promise<string> {
  const id = newId();
  await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
  await owner.query(`insert into audit_trees (tenant_id, size) values ($1, 0)`, [id]);
  return id;
}

async function upload(content: Buffer, to = blobs): Promise<string> {
  const placed = await to.placeBlob(tenantId, content);
  await control.asTenant(tenantId, (tx) => keepBlob(tx, tenantId, ZIP, placed));
  return placed.digest;
}

async function read(digest: string, as = tenantId): Promise<Buffer | undefined> {
  const placed = await control.asTenant(as, (tx) => findPlaced(tx, as, digest));
  return placed && blobs.read(as, placed);
}

const keysOf = (id: string): string[] => [...objectStore.objects.keys()].filter((key) => key.includes(id));
const letTimePass = () =>
  owner.query(`update unused_objects set due_at = now() - interval '1 second' where tenant_id = $1`, [tenantId]);
const notes = async (): Promise<number> =>
  (await owner.query(`select from unused_objects where tenant_id = $1`, [tenantId])).rows.length;

test('what is uploaded is in the object store under its tenant, once, and nothing is left noted', async () => {
  const content = randomBytes(100_000);
  const digest = await upload(content);
  expect(await upload(content)).toBe(digest);
  expect(keysOf(tenantId)).toEqual([expect.stringContaining(`here/${tenantId}/${digest.slice(7)}.`)]);
  expect(await read(digest)).toEqual(content);
  expect(await notes()).toBe(0);
  await letTimePass();
  await sweeper.sweep();
  expect(await read(digest)).toEqual(content);
});

test('another tenant finds nothing by the digest, and nothing by the object’s name', async () => {
  const content = randomBytes(100);
  const digest = await upload(content);
  const other = await newTenant();
  expect(await read(digest, other)).toBeUndefined();
  const placed = await control.asTenant(tenantId, (tx) => findPlaced(tx, tenantId, digest));
  if (placed === undefined) throw new Error('there is none');
  await expect(blobs.read(other, placed)).rejects.toMatchObject({ code: 'internal' });
});

test('what was sent and never used, for its sender crashed, is deleted when its time is over and not before', async () => {
  await blobs.placeBlob(tenantId, randomBytes(100));
  await sweeper.sweep();
  expect(keysOf(tenantId)).toHaveLength(1);
  await letTimePass();
  await sweeper.sweep();
  expect(keysOf(tenantId)).toEqual([]);
  expect(await notes()).toBe(0);
});

test('what is about to be deleted can no longer be taken into use, and what is in use is not deleted', async () => {
  const placed = await blobs.placeBlob(tenantId, randomBytes(100));
  await letTimePass();
  await owner.query(`update unused_objects set claimed = true where tenant_id = $1`, [tenantId]);
  const keeping = control.asTenant(tenantId, (tx) => keepBlob(tx, tenantId, ZIP, placed));
  await expect(keeping).rejects.toMatchObject({ code: 'unavailable' });
  expect(await read(placed.digest)).toBeUndefined();
});

test('a deleted artefact’s object goes, also when the object store refused the first time', async () => {
  const digest = await upload(randomBytes(100));
  await control.asTenant(tenantId, (tx) => deleteUnusedBlobs(tx, tenantId, [digest]));
  expect(await read(digest)).toBeUndefined();
  objectStore.failNext(REFUSED);
  await sweeper.sweep();
  const err = expect.objectContaining({ kind: 'refused' });
  expect(told.mock.calls).toEqual([[expect.objectContaining({ err, tenant_id: tenantId }), expect.any(String)]]);
  expect([keysOf(tenantId).length, await notes()]).toEqual([1, 1]);
  await sweeper.sweep();
  expect([keysOf(tenantId).length, await notes()]).toEqual([0, 0]);
});

test('an object that cannot be deleted keeps no other from it, not another tenant’s either', async () => {
  const refused = tenantId;
  await blobs.placeBlob(refused, randomBytes(9));
  await letTimePass();
  tenantId = await newTenant();
  await blobs.placeBlob(tenantId, randomBytes(100));
  await letTimePass();
  objectStore.failNext(REFUSED);
  expect(await sweeper.sweep()).toBe(1);
  expect([keysOf(refused).length, keysOf(tenantId).length]).toEqual([1, 0]);
  expect(await background.asService(secondsSinceOldestDue)).toBeGreaterThanOrEqual(1);
  await blobs.placeBlob(tenantId, randomBytes(100));
  await letTimePass();
  const due = await background.asService((tx) => findDueObjects(tx, 10));
  expect(due.map((object) => object.tenant_id)).toEqual([tenantId, refused]);
  expect(await sweeper.sweep()).toBe(2);
});

test('bytes that are not what was stored, or are gone, are an error and not an answer', async () => {
  const digest = await upload(randomBytes(100));
  const [key = ''] = keysOf(tenantId);
  objectStore.objects.set(key, randomBytes(100));
  await expect(read(digest)).rejects.toMatchObject({
    code: 'internal',
    detail: { reason: 'its object holds other bytes' },
  });
  objectStore.objects.delete(key);
  await expect(read(digest)).rejects.toMatchObject({
    code: 'internal',
    detail: { reason: 'its object is gone from the store' },
  });
  objectStore.failNext(REFUSED);
  await expect(read(digest)).rejects.toMatchObject({ code: 'unavailable' });
});

test('a tenant without room sends nothing, and what is on its way counts', async () => {
  await owner.query(
    `insert into unused_objects (tenant_id, id, digest, bytes, due_at)
     values ($1, $2, 'sha256:' || repeat('0', 64), $3, now() + interval '1 minute')`,
    [tenantId, newId(), STORED_BYTES_MAX - 10],
  );
  const before = objectStore.requests.length;
  await expect(blobs.placeBlob(tenantId, randomBytes(11))).rejects.toMatchObject({ code: 'conflict' });
  expect(objectStore.requests).toHaveLength(before);
});

test('what was stored in PostgreSQL is read as before, then moved, and manifests stay', async () => {
  const here = new BlobStore(control);
  const [artefact, manifest] = [randomBytes(1_000), Buffer.from(`{"of":"${tenantId}"}`)];
  const digest = await upload(artefact, here);
  const manifestDigest = await control.asTenant(tenantId, (tx) => putBlob(tx, tenantId, 'application/json', manifest));
  const serverId = newId();
  await owner.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, 's', 'S')`, [tenantId, serverId]);
  await owner.query(
    `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools)
     values ($1, $2, $3, 1, 'http', $4, 'ready', '{}', '{}', '[]')`,
    [tenantId, newId(), serverId, manifestDigest],
  );
  expect(await read(digest)).toEqual(artefact);
  objectStore.failNext(REFUSED);
  expect(await mover.move()).toBe(0);
  const err = expect.objectContaining({ code: 'unavailable' });
  expect(told.mock.calls).toEqual([[expect.objectContaining({ err, tenant_id: tenantId }), expect.any(String)]]);
  expect(await read(digest)).toEqual(artefact);
  await mover.move();
  expect(keysOf(digest.slice(7))).toHaveLength(1);
  expect(await read(digest)).toEqual(artefact);
  expect(await control.asTenant(tenantId, (tx) => findBlob(tx, tenantId, manifestDigest))).toEqual(manifest);
  expect(await mover.move()).toBe(0);
});

test('an archive that is damaged stays where it is and is sent nowhere, and what is behind it is moved', async () => {
  const [damaged, other] = [tenantId, await newTenant()];
  const keep = (id: string, first: number, content: Buffer, digest = digestOf(content)) =>
    owner.query(
      `insert into audit_archives (tenant_id, first_leaf, end_leaf, digest, bytes, content) values ($1, $2, 9, $3, $4, $5)`,
      [id, first, digest, content.length, content],
    );
  await keep(damaged, 0, randomBytes(100), `sha256:${'0'.repeat(64)}`);
  for (const id of [damaged, other]) await keep(id, 1, randomBytes(100));
  expect(await mover.move()).toBe(2);
  expect([keysOf(damaged).length, keysOf(other).length]).toEqual([1, 1]);
  expect(told.mock.calls).toEqual([[expect.objectContaining({ tenant_id: damaged }), expect.any(String)]]);
  const before = objectStore.requests.length;
  expect(await mover.move()).toBe(0);
  expect(objectStore.requests).toHaveLength(before);
});

test('what the object store does not take of one tenant keeps no other’s here', async () => {
  const here = new BlobStore(control);
  const tenants = [tenantId, await newTenant()].toSorted();
  for (tenantId of tenants) await upload(randomBytes(1_000), here);
  objectStore.failNext(REFUSED);
  expect(await mover.move()).toBe(1);
  expect(tenants.map((id) => keysOf(id).length)).toEqual([0, 1]);
  expect(told).toHaveBeenCalledWith(expect.objectContaining({ tenant_id: tenants[0] }), expect.any(String));
  expect(await mover.move()).toBe(1);
});

test('a manifest whose very bytes were uploaded before is a row like every other, and their object goes', async () => {
  const manifest = Buffer.from(`{"tenant":"${tenantId}"}`);
  const digest = await upload(manifest);
  await control.asTenant(tenantId, (tx) => putBlob(tx, tenantId, 'application/json', manifest));
  expect(await control.asTenant(tenantId, (tx) => findBlob(tx, tenantId, digest))).toEqual(manifest);
  await sweeper.sweep();
  expect(keysOf(tenantId)).toEqual([]);
});
