import { Secret } from '#libs/config';
import { newId } from '#libs/database';
import { testDatabase, type TestDatabase } from '#libs/testing';
import { Client } from 'pg';
import { A as a, ACCOUNT as account } from '../../../../test/isolation/row-ids.fixture.js';
import { ROWS } from '../../../../test/isolation/tenant-rows.fixture.js';
import { digestTenant } from './copy/copy-tenant.js';
import type { TableDigest } from './copy/table-stream.js';

/** What the dedicated database is called. */
export const OWN = 'own';

/** The common database with a tenant that has a row in every table, and another one; and an empty dedicated database. */
export async function openTwoDatabases() {
  const [common, own] = await Promise.all([testDatabase(), testDatabase()]);
  const [here, there] = [await ownerOf(common), await ownerOf(own)];
  const b = newId();
  await here.query(`insert into accounts (id, email, password_hash) values ($1, 'a@example.com', 'x')`, [account]);
  await here.query(`set session_replication_role = replica`);
  for (const [table, row] of Object.entries(ROWS)) {
    const columns = Object.keys(row);
    const places = columns.map((_, index) => `$${index + 1}`).join(', ');
    await here.query(`insert into ${table} (${columns.join(', ')}) values (${places})`, Object.values(row));
  }
  await here.query(`reset session_replication_role`);
  await here.query(`delete from tenant_deletions where tenant_id = $1`, [a]);
  await here.query(`insert into tenants (id, slug, name) values ($1, 'tenant-b', 'b')`, [b]);
  await here.query(`insert into members (tenant_id, account_id, role) values ($1, $2, 'owner')`, [b, account]);
  await there.query(`update installation set database = $1`, [OWN]);
  return {
    a,
    b,
    common,
    own,
    here,
    there,
    dedicated: new Map([[OWN, new Secret(own.databaseUrl)]]),
    /** What a database holds of a tenant, past every wall. */
    contentOf(client: Client, tenantId: string): Promise<TableDigest[]> {
      return digestTenant(client, tenantId, AbortSignal.timeout(60_000));
    },
    async askMove(to: string | null, from: string | null): Promise<string> {
      const id = newId();
      await here.query(
        `insert into tenant_moves (id, tenant_id, from_database, to_database, reason, requested_by)
         values ($1, $2, $3, $4, 'they pay for it', $5)`,
        [id, a, from, to, newId()],
      );
      return id;
    },
    async close() {
      await Promise.all([here.end(), there.end()]);
      await Promise.all([common.drop(), own.drop()]);
    },
  };
}

/** Both databases of a test. */
export type TwoDatabases = Awaited<ReturnType<typeof openTwoDatabases>>;

async function ownerOf({ databaseUrl }: TestDatabase): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  return client;
}
