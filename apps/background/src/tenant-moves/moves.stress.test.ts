import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { appendAudit, consistencyOf, MerkleTree, tileReader } from '#libs/audit';
import { Secret } from '#libs/config';
import { Database, newId, TenantAway } from '#libs/database';
import { PersonKeys } from '#libs/secrets';
import { createLogger } from '#libs/telemetry';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { AuditSequencer } from '../audit-log/audit-sequencer.js';
import { provideCheckpointKey } from '../audit-log/checkpoint-key.js';
import { MoveTenant } from './move-tenant.js';

/** A tenant with a long log moves there and back while it is written to; the figures are printed. */
const RECORDS = Number(process.env['WHARF_MOVED_RECORDS'] ?? 20_000);
const BATCH = 10_000;
const OWN = 'own';
const tenantId = newId();
const dedicated = { databases: new Map<string, Secret>(), poolsMax: 2 };
let common: TestDatabase;
let own: TestDatabase;
let owner: Client;
let there: Client;
let database: Database;
let sequencer: AuditSequencer;
let moving: MoveTenant;
let peakBytes = 0;
let watch: NodeJS.Timeout;

beforeAll(async () => {
  [common, own] = [await testDatabase(), await testDatabase()];
  [owner, there] = [common, own].map(({ databaseUrl }) => new Client({ connectionString: databaseUrl })) as [
    Client,
    Client,
  ]; // two
  await Promise.all([owner.connect(), there.connect()]);
  await there.query(`update installation set database = $1`, [OWN]);
  dedicated.databases.set(OWN, new Secret(own.databaseUrl));
  database = await Database.connect({ ...common, role: 'wharf_background', dedicated });
  const key = await provideCheckpointKey(database, common.masterKey);
  sequencer = new AuditSequencer({
    database,
    persons: new PersonKeys(common.masterKey),
    key,
    publicUrl: new URL('https://wharf.test'),
    logger: createLogger('test', 'silent'),
  });
  moving = new MoveTenant({ ...common, dedicated: dedicated.databases });
  await owner.query(`insert into tenants (id, slug, name) values ($1, 'moved', 'Moved')`, [tenantId]);
  watch = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage().rss)), 20);
}, 120_000);

afterAll(async () => {
  clearInterval(watch);
  await database?.close();
  await Promise.all([owner?.end(), there?.end()]);
  await Promise.all([common?.drop(), own?.drop()]);
});

const entry = (id: string) =>
  ({
    id,
    event: 'tenant.viewed',
    actor: { kind: 'system', id: 'test' },
    target: `tenant:${tenantId}`,
    outcome: 'ok',
    details: { action: 'a look of which the log says enough to be as long as calls are'.repeat(4) },
  }) as const;

const append = (ids: readonly string[]) =>
  database.asTenant(tenantId, (tx) => appendAudit(tx, tenantId, ids.map(entry)));

/** What the log holds, numbered or not, and its root; and that it only grew from an earlier size with that root. */
async function logNow(earlier?: { size: number; root: string }) {
  return database.asTenant(tenantId, async (tx) => {
    const [row]: Array<{ size: string }> = await tx.query(`select size from audit_trees where tenant_id = $1`, [
      tenantId,
    ]);
    const tree = new MerkleTree(Number(row?.size), tileReader(tx, tenantId));
    if (earlier !== undefined) expect((await consistencyOf(tree, earlier.size)).from_root).toBe(earlier.root);
    return { size: tree.size, root: (await tree.root()).toString('base64') };
  });
}

async function sequenceAll(): Promise<void> {
  while ((await sequencer.sequence()) > 0);
}

/** Whether a record was taken; a tenant that is on its way takes none. */
async function isTaken(id: string): Promise<boolean> {
  try {
    await append([id]);
    return true;
  } catch (error) {
    if (error instanceof TenantAway) return false;
    throw error;
  }
}

/** Writes a record now and again, and tries what is turned away again, as the spool of a gateway does. */
function writeOn(): { stop(): Promise<readonly string[]> } {
  const written: string[] = [];
  const stopping = new AbortController();
  const writing = (async () => {
    while (!stopping.signal.aborted) {
      const id = newId();
      while (!(await isTaken(id))) await setTimeout(25);
      written.push(id);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await writing;
      return written;
    },
  };
}

async function moveTo(to: string | null): Promise<{ seconds: number; closed: number }> {
  const id = newId();
  await owner.query(
    `insert into tenant_moves (id, tenant_id, from_database, to_database, reason, requested_by)
     values ($1, $2, $3, $4, 'they pay for it', $5)`,
    [id, tenantId, to === null ? OWN : null, to, newId()],
  );
  const started = performance.now();
  expect(await moving.advance(id, AbortSignal.timeout(1_200_000))).toBe('done');
  const seconds = (performance.now() - started) / 1_000;
  const { rows } = await owner.query(
    `select extract(epoch from opened_at - closed_at)::float8 as closed from tenant_moves where id = $1`,
    [id],
  );
  return { seconds, closed: rows[0].closed };
}

test('a long log moves there and back within bounded memory, loses nothing that is written meanwhile, and its proofs hold', async () => {
  const first = Array.from({ length: RECORDS }, () => newId());
  for (let at = 0; at < first.length; at += BATCH) await append(first.slice(at, at + BATCH));
  await sequenceAll();
  let known = await logNow();
  const before = process.memoryUsage().rss;
  let expected = RECORDS;
  for (const to of [OWN, null]) {
    peakBytes = 0;
    const writer = writeOn();
    const { seconds, closed } = await moveTo(to);
    expected += (await writer.stop()).length + 1; // and that it was moved
    await sequenceAll();
    const [here, away] = to === null ? [owner, there] : [there, owner];
    const held = `select count(*)::int as rows, count(distinct id)::int as ids from audit_log where tenant_id = $1`;
    expect((await here.query(held, [tenantId])).rows).toEqual([{ rows: expected, ids: expected }]);
    expect((await away.query(held, [tenantId])).rows).toEqual([{ rows: 0, ids: 0 }]);
    known = await logNow(known);
    const figures = { to: to ?? 'common', records: expected, seconds, closed_seconds: closed };
    process.stderr.write(
      `${JSON.stringify({ ...figures, rss_before_mb: before / 1e6, rss_peak_mb: peakBytes / 1e6 })}\n`,
    );
    expect(peakBytes - before).toBeLessThan(300e6);
  }
}, 1_800_000);
