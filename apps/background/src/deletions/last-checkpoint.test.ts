import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { appendAudit } from '#libs/audit';
import { Database, newId } from '#libs/database';
import { PersonKeys } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { testDatabase, testRedis, type TestDatabase } from '#libs/testing';
import { Redis } from 'ioredis';
import { decodeJwt } from 'jose';
import { Client } from 'pg';
import { treeLock } from '../audit-log/audit-log.repository.js';
import { AuditSequencer } from '../audit-log/audit-sequencer.js';
import { DeleteTenant } from './delete-tenant.js';

let store: TestDatabase;
let redis: Redis;
let owner: Client;
let database: Database;
let background: Database;
let sequencer: AuditSequencer;
let deleting: DeleteTenant;
let deletingWith: (signLog: (tenantId: string) => Promise<boolean>) => DeleteTenant;

beforeAll(async () => {
  const [made, { redisUrl }] = await Promise.all([testDatabase(), testRedis()]);
  store = made;
  redis = new Redis(redisUrl);
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  database = await Database.connect({ ...store, role: 'wharf_life_cycle', poolSize: 2 });
  background = await Database.connect({ ...store, role: 'wharf_background', poolSize: 2 });
  const { privateKey: key } = generateKeyPairSync('ed25519');
  sequencer = new AuditSequencer({
    database: background,
    persons: new PersonKeys(store.masterKey),
    key,
    publicUrl: new URL('https://wharf.test'),
    logger: createLogger('test', 'silent'),
  });
  deletingWith = (signLog) =>
    new DeleteTenant({
      database,
      runtime: { evict: async () => undefined },
      redis,
      signLog,
      key,
      installation: 'https://wharf.test',
    });
  deleting = deletingWith((tenantId) => sequencer.signWhole(tenantId));
});

afterAll(async () => {
  redis?.disconnect();
  await Promise.all([owner?.end(), database?.close(), background?.close()]);
  await store?.drop();
});

const arrive = (tenantId: string, count: number) =>
  background.asTenant(tenantId, (tx) =>
    appendAudit(
      tx,
      tenantId,
      Array.from(
        { length: count },
        () =>
          ({
            event: 'server.created',
            actor: { kind: 'person', id: 'ada' },
            target: 'server:x',
            outcome: 'ok',
            sourceAddress: '192.0.2.1',
          }) as never, // the log keeps whatever it is given
      ),
    ),
  );

/** A tenant whose log is signed up to three records, and whose deletion is due. */
async function leavingTenant(): Promise<string> {
  const id = newId();
  await owner.query(`insert into tenants (id, slug, name) values ($1, $2, 'T')`, [id, `t-${id}`]);
  await arrive(id, 3);
  await sequencer.sequence();
  await arrive(id, 10);
  await owner.query(
    `insert into tenant_deletions (tenant_id, id, slug, reason, requested_by, due_at, status_before)
     values ($1, $2, 'gone', 'we moved', '{}', now() - interval '1 hour', 'active')`,
    [id, newId()],
  );
  return id;
}

async function advance(tenantId: string, until: 'gone' | 'rows'): Promise<void> {
  for (let steps = 0; steps < 10; steps += 1) {
    const { rows } = await owner.query(`select state, step from tenant_deletions where tenant_id = $1`, [tenantId]);
    if (rows[0].state === 'deleted' || rows[0].step === until) return;
    expect(await deleting.advance(tenantId)).not.toBe('later');
  }
}

test('the receipt names a checkpoint of the whole log, with what came after the last one that was due', async () => {
  const tenantId = await leavingTenant();
  await advance(tenantId, 'rows');
  // What arrives once the keys are gone gets no number, nor a new key.
  await arrive(tenantId, 2);
  await sequencer.sequence();
  await advance(tenantId, 'gone');
  const { rows } = await owner.query(`select receipt from tenant_deletions where tenant_id = $1`, [tenantId]);
  const receipt = decodeJwt(rows[0].receipt) as { rows: object; audit_checkpoint: { size: number; note: string } };
  expect(receipt.rows).toMatchObject({ audit_log: 13, audit_records: 2, person_keys_destroyed: 1 });
  expect(receipt.rows).not.toHaveProperty('person_keys');
  expect(receipt.audit_checkpoint.size).toBe(13);
  expect(receipt.audit_checkpoint.note.split('\n')[1]).toBe('13');
});

test('keys stay while somebody else numbers the log, which is then not signed as a whole', async () => {
  const tenantId = await leavingTenant();
  expect([await deleting.advance(tenantId), await deleting.advance(tenantId)]).toEqual(['more', 'more']);
  const beside = deletingWith(async () => {
    await owner.query(`select pg_advisory_lock(hashtextextended($1, 0))`, [treeLock(tenantId)]);
    const signed = await sequencer.signWhole(tenantId);
    await owner.query(`select pg_advisory_unlock_all()`);
    return signed;
  });
  expect(await beside.advance(tenantId)).toBe('later');
  const { rows } = await owner.query(
    `select step, (select count(*)::int from person_keys k where k.tenant_id = d.tenant_id) as keys
     from tenant_deletions d where tenant_id = $1`,
    [tenantId],
  );
  expect(rows).toEqual([{ step: 'keys', keys: 1 }]);
  expect(await deleting.advance(tenantId)).toBe('more');
});
