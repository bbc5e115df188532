import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { appendAudit } from '#libs/audit';
import { Database, newId } from '#libs/database';
import { PersonKeys } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { AuditSequencer } from './audit-sequencer.js';

let store: TestDatabase;
let background: Database;
let owner: Client;

beforeAll(async () => {
  store = await testDatabase();
  background = await Database.connect({ ...store, role: 'wharf_background' });
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
});

afterAll(async () => {
  await Promise.all([background.close(), owner.end()]);
  await store.drop();
});

test('tenants whose records never cease to arrive do not keep those after them from getting their numbers', async () => {
  const tenants = Array.from({ length: 5 }, () => newId()).toSorted();
  for (const id of tenants)
    await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
  const arrive = (tenantId: string) =>
    background.asTenant(tenantId, (tx) =>
      appendAudit(tx, tenantId, [
        {
          event: 'server.created',
          actor: { kind: 'system', id: 'test' },
          target: 'server:x',
          outcome: 'ok',
          details: { slug: 'x', name: 'X' },
        },
      ]),
    );
  for (const tenantId of tenants) await arrive(tenantId);
  const sequencer = new AuditSequencer({
    database: background,
    persons: new PersonKeys(store.masterKey),
    key: generateKeyPairSync('ed25519').privateKey,
    publicUrl: new URL('https://wharf.test'),
    logger: createLogger('test', 'silent'),
    tenantsMax: 2,
  });
  const numbered: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    numbered.push(await sequencer.sequence());
    for (const tenantId of tenants.slice(0, 2)) await arrive(tenantId);
  }
  // The first two, the next two, the last one, and the first two again.
  expect(numbered).toEqual([2, 2, 1, 6]);
  const { rows } = await owner.query(`select distinct tenant_id as id from audit_log order by 1`);
  expect(rows.map(({ id }) => id)).toEqual(tenants);
});
