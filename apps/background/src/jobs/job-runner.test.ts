import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { Database, newId } from '#libs/database';
import { enqueue, evictTenantJob } from '#libs/jobs';
import { createLogger } from '#libs/telemetry';
import { testHomes, type TestHomes } from '#libs/testing';
import type { JobHandler } from './job-handler.js';
import { JobRunner } from './job-runner.js';

const logger = createLogger('background', 'silent');

let homes: TestHomes;
let background: Database;
let owner: Client;
let tenantId: string;

beforeAll(async () => {
  homes = await testHomes();
  background = await Database.connect({ ...homes.common, role: 'wharf_background' });
  owner = new Client({ connectionString: homes.common.databaseUrl });
  await owner.connect();
  tenantId = newId();
  await owner.query(`insert into tenants (id, slug, name) values ($1, 'acme', 'T')`, [tenantId]);
});

afterAll(async () => {
  await Promise.all([background?.close(), owner?.end()]);
  await homes.drop();
});

const newJob = () => background.asTenant(tenantId, (tx) => enqueue(tx, tenantId, evictTenantJob, { tenantId }));

/** What the outbox says of a job. */
async function found(id: string): Promise<{ closed: boolean; failure: string | null }> {
  const { rows } = await owner.query(`select completed_at is not null as closed, failure from outbox where id = $1`, [
    id,
  ]);
  return rows[0];
}

test('leaves a job whose name it does not know to a newer background, also at its last attempt', async () => {
  const id = await newJob();
  const older = new JobRunner(background, [], logger);
  expect(await older.run({ tenantId, id }, 'last')).toEqual({ outcome: 'deferred' });
  expect(await found(id)).toEqual({ closed: false, failure: null });
  const ran: string[] = [];
  const handler: JobHandler = {
    definition: evictTenantJob,
    run: (_payload, { jobId }) => Promise.resolve(void ran.push(jobId)),
  };
  const newer = new JobRunner(background, [handler], logger);
  expect((await newer.run({ tenantId, id }, 'last')).outcome).toBe('done');
  expect([ran, await found(id)]).toEqual([[id], { closed: true, failure: null }]);
});

test('gives up a job that nobody has known for a day', async () => {
  const id = await newJob();
  await owner.query(`update outbox set created_at = now() - interval '25 hours' where id = $1`, [id]);
  const reason = 'No handler knows jobs named evict-tenant.';
  const runner = new JobRunner(background, [], logger);
  expect(await runner.run({ tenantId, id }, 'more-left')).toEqual({ outcome: 'given-up', reason });
  expect(await found(id)).toEqual({ closed: true, failure: reason });
});
