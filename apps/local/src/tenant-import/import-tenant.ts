import type { Secret } from '#libs/config';
import { PLATFORM, importArchive, type ArchiveReader, type ImportChoices, type Imported } from '#libs/tenant-import';
import { asOwner } from '../backup/tables.js';

/** An installation's database. */
interface Target {
  readonly databaseUrl: string;
  readonly masterKey: Secret;
}

/** Imports an archive as the owner of the schema, who needs no service to run. @throws ArchiveError */
export function importTenant(
  { databaseUrl, masterKey }: Target,
  reader: ArchiveReader,
  choices: Pick<ImportChoices, 'secret' | 'slug' | 'plan' | 'homeRegion'>,
): Promise<Imported> {
  const act = { operatorId: PLATFORM, reason: 'a tenant was imported' };
  return importArchive(reader, { masterKey, act, ...choices }, (tenantId, work) =>
    asOwner(databaseUrl, 'wharf:import', async (client) => {
      await client.query('begin');
      await client.query(`set local statement_timeout = 0`);
      await client.query(`select set_config('app.tenant_id', $1, true)`, [tenantId]);
      const imported = await work(async <Row>(sql: string, values?: readonly unknown[]) => {
        const { rows } = await client.query(sql, values === undefined ? undefined : [...values]);
        return rows as Row[]; // as the statement says
      });
      await client.query('commit');
      return imported;
    }),
  );
}
