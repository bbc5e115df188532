import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BlobStore } from '#libs/blobs';
import { Database, newId, type DatabaseRole } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { contextVersion, databaseSupplier } from './index.js';

let home: TestDatabase;
let control: Database;
let operator: Database;
let gateway: Database;

beforeAll(async () => {
  home = await testDatabase();
  const { databaseUrl, masterKey } = home;
  const connect = (role: DatabaseRole) => Database.connect({ databaseUrl, role, masterKey, poolSize: 1 });
  [control, operator, gateway] = (await Promise.all(
    (['wharf_control', 'wharf_operator', 'wharf_gateway'] as const).map(connect),
  )) as [Database, Database, Database]; // as many as roles
});

afterAll(async () => {
  await Promise.all([control.close(), operator.close(), gateway.close()]);
  await home.drop();
});

test("tells a runtime the memory of the tenant's plan, under a version that changes with the plan", async () => {
  const tenantId = newId();
  await control.asTenant(tenantId, (tx) =>
    tx.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [tenantId, `t-${tenantId}`]),
  );
  const supplier = databaseSupplier(gateway, home.masterKey, new BlobStore(gateway));
  const version = () => gateway.asTenant(tenantId, (tx) => contextVersion(tx, tenantId));
  const before = await supplier.supply(tenantId, [], true);
  expect(before.context).toMatchObject({ workerMemoryMb: 256, version: await version() });
  await operator.asService((tx) => tx.query(`update tenants set plan = 'scale' where id = $1`, [tenantId]));
  const after = await supplier.supply(tenantId, [], true);
  expect(after.context).toMatchObject({ workerMemoryMb: 512, version: await version() });
  expect(after.context?.version).not.toBe(before.context?.version);
});
