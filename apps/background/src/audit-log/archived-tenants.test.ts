import { generateKeyPairSync } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { BlobStore, type Placed } from '#libs/blobs';
import { Database, newId } from '#libs/database';
import { createLogger } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { ArchiveRetention } from './archive-retention.js';
import { AuditArchiver } from './audit-archiver.js';
import { tenantOfAge } from './old-records.fixture.js';

const { privateKey } = generateKeyPairSync('ed25519');
const publicUrl = new URL('https://wharf.test');
const logger = createLogger('test', 'silent');
const told = jest.spyOn(logger, 'error');

let store: TestDatabase;
let background: Database;
let control: Database;
let owner: Client;

beforeAll(async () => {
  store = await testDatabase();
  background = await Database.connect({ ...store, role: 'wharf_background' });
  control = await Database.connect({ ...store, role: 'wharf_control' });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
});

afterEach(() => void told.mockClear());

afterAll(async () => {
  await Promise.all([background.close(), control.close(), owner.end()]);
  await store.drop();
});

const oldTenant = (): Promise<string> =>
  tenantOfAge({ control, background, owner, masterKey: store.masterKey, privateKey, publicUrl }, [[800, 790]]);
/** How many archives each tenant has. */
async function archives(...tenantIds: readonly string[]): Promise<number[]> {
  const { rows } = await owner.query<{ count: number }>(
    `select (select count(*)::integer from audit_archives a where a.tenant_id = t.id)
     from unnest($1::uuid[]) with ordinality as t(id, at) order by at`,
    [tenantIds],
  );
  return rows.map(({ count }) => count);
}

test('records are archived although another tenant’s cannot be, which is named in the log and comes last from then on', async () => {
  const [broken, other] = [await oldTenant(), await oldTenant()];
  await owner.query(`update audit_trees set archive_due = now() - interval '1 hour' where tenant_id = $1`, [broken]);
  const asked: string[] = [];
  const refusing = new (class extends BlobStore {
    override async place(tenantId: string, content: Buffer): Promise<Placed> {
      asked.push(tenantId);
      if (tenantId === broken) throw new Error('not these');
      return super.place(tenantId, content);
    }
  })(background);
  const archiver = new AuditArchiver(background, refusing, logger);
  expect(await archiver.archive()).toBe(2);
  expect(await archives(broken, other)).toEqual([0, 1]);
  expect(told.mock.calls).toEqual([[expect.objectContaining({ tenant_id: broken }), expect.any(String)]]);
  const later = await oldTenant();
  expect(await archiver.archive()).toBe(2);
  expect(asked).toEqual([broken, other, later, broken]);
});

test('archives that are kept no longer go although another tenant’s cannot', async () => {
  await owner.query(
    `insert into plans (name, calls_per_minute, concurrent_calls, servers_max, worker_memory_mb, audit_archive_days)
     values ('brief', 1, 1, 1, 64, 30)`,
  );
  const tenants = [await oldTenant(), await oldTenant(), await oldTenant()];
  const [, broken] = tenants;
  for (const tenantId of tenants) {
    const object = newId();
    await owner.query(`update tenants set plan = 'brief' where id = $1`, [tenantId]);
    await owner.query(`update audit_trees set archived = 1 where tenant_id = $1`, [tenantId]);
    await owner.query(
      `insert into audit_archives (tenant_id, first_leaf, end_leaf, digest, bytes, object, created_at)
       values ($1, 0, 1, 'sha256:' || repeat('0', 64), 1, $2, now() - interval '31 days')`,
      [tenantId, object],
    );
    // An object that is noted as unused already cannot be noted again.
    if (tenantId === broken)
      await owner.query(
        `insert into unused_objects (tenant_id, id, digest, bytes, due_at)
         values ($1, $2, 'sha256:' || repeat('0', 64), 1, now())`,
        [tenantId, object],
      );
  }
  await new ArchiveRetention(background, logger).sweep();
  expect(await archives(...tenants)).toEqual([0, 1, 0]);
  expect(told.mock.calls).toEqual([[expect.objectContaining({ tenant_id: broken }), expect.any(String)]]);
});

test('a region archives its own tenants and those at home nowhere, and leaves those of others', async () => {
  const [ours, theirs, nobodys] = [await oldTenant(), await oldTenant(), await oldTenant()];
  const home = (id: string, region: string) =>
    owner.query(`update tenants set home_region = $2 where id = $1`, [id, region]);
  await home(ours, 'eu');
  await home(theirs, 'us');
  const archived = () => archives(ours, theirs, nobodys);
  await new AuditArchiver(background, new BlobStore(background), logger).archive();
  expect(await archived()).toEqual([0, 0, 1]);
  await new AuditArchiver(background, new BlobStore(background), logger, 'eu').archive();
  expect(await archived()).toEqual([1, 0, 1]);
  await new AuditArchiver(background, new BlobStore(background), logger, 'us').archive();
  expect(await archived()).toEqual([1, 1, 1]);
});
