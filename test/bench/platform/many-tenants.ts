import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import type { Launched } from './launcher.js';

/** Rows of a tenant's audit log that every copy gets too. */
const AUDIT_ROWS = 20;

/**
 * Fills the tables with copies of a published tenant: tenant, server, release, artefact, API key, audit log. Signing
 * them all up would measure password hashing for a quarter of an hour.
 */
export async function fillTables(wharf: Launched, copyOf: string, count: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrlOf(wharf) });
  await client.connect();
  try {
    // Copies announce nothing and their keys are right by construction.
    await client.query('begin');
    await client.query('set local session_replication_role = replica');
    await client.query(
      `create temporary table copies on commit drop as
         select gen_random_uuid() as tenant_id, gen_random_uuid() as server_id, gen_random_uuid() as release_id, n
         from generate_series(1, $1::int) as n`,
      [count],
    );
    for (const statement of COPIES) await client.query(statement, [copyOf]);
    await client.query(
      `insert into audit_records (tenant_id, id, at, event, actor, target, outcome)
         select c.tenant_id, gen_random_uuid(), now(), 'call.completed', '{"kind":"anonymous"}', 'server:echo', 'ok'
         from copies c, generate_series(1, ${AUDIT_ROWS})`,
    );
    await client.query('commit');
    // Otherwise PostgreSQL would tidy up while the calls are measured.
    await client.query('vacuum analyze');
    await client.query('checkpoint');
  } finally {
    await client.end();
  }
}

const SOURCE = `(select id from tenants where slug = $1)`;
const COPIES = [
  `insert into tenants (id, slug, name, plan)
     select c.tenant_id, 'copy-' || c.n, 'Copy ' || c.n, t.plan from copies c, tenants t where t.slug = $1`,
  `insert into blobs (tenant_id, digest, media_type, bytes, content)
     select c.tenant_id, b.digest, b.media_type, b.bytes, b.content from copies c, blobs b where b.tenant_id = ${SOURCE}`,
  `insert into servers (tenant_id, id, slug, name, live_release_id, writes)
     select c.tenant_id, c.server_id, s.slug, s.name, c.release_id, s.writes
     from copies c, servers s where s.tenant_id = ${SOURCE} and s.slug = 'echo'`,
  `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, tools)
     select c.tenant_id, c.release_id, c.server_id, r.number, r.kind, r.digest, r.state, r.report, r.created_by, r.tools
     from copies c, releases r join servers s on s.tenant_id = r.tenant_id and s.live_release_id = r.id
     where r.tenant_id = ${SOURCE} and s.slug = 'echo'`,
  `insert into api_keys (tenant_id, id, name, key_hash, prefix, scopes)
     select c.tenant_id, gen_random_uuid(), k.name, md5(c.n::text), k.prefix, k.scopes
     from copies c, (select * from api_keys where tenant_id = ${SOURCE} limit 1) k`,
];

/** The private PostgreSQL of a data folder, as its owner. */
function databaseUrlOf({ dataDir }: Launched): string {
  const password = readFileSync(path.join(dataDir, 'keys', 'postgres.key'), 'utf8').trim();
  const port = readFileSync(path.join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[3] ?? '';
  return `postgres://wharf:${password}@127.0.0.1:${port}/postgres`;
}
