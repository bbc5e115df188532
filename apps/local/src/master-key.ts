import { ringOf, type MasterKeys } from '#libs/config';
import { EmbeddedError, findMasterKey, makeMasterKey, masterKeyFile, type DataFolder } from '#libs/embedded';
import { masterKeyId } from '#libs/secrets';
import { asOwner } from './backup/tables.js';

/**
 * The master key of a data folder, for a database. One is made only for a database that was never set up: in place of one
 * that is missing it would open nothing.
 * @throws EmbeddedError that names the file, where it is missing or another installation's; nothing is changed
 */
export async function provideMasterKey(data: DataFolder, databaseUrl: string): Promise<MasterKeys> {
  const file = masterKeyFile(data);
  const known = await masterKeysOf(databaseUrl);
  const found = findMasterKey(data);
  if (found === undefined && known.length === 0) return makeMasterKey(data);
  if (found === undefined)
    throw new EmbeddedError(
      `${file} is missing. The database was set up with master key ${known.join(', ')}, and what is sealed opens with that alone: ` +
        'put the file back from your copy, or set WHARF_MASTER_KEY. Nothing was changed.',
    );
  const ids = ringOf(found).map(masterKeyId);
  if (known.length > 0 && !known.some((id) => ids.includes(id)))
    throw new EmbeddedError(
      `${file} holds master key ${ids.join(', ')}. The database was set up with ${known.join(', ')}, and what is sealed opens with that alone: ` +
        'put that key into the file from your copy, or set WHARF_MASTER_KEY. Nothing was changed.',
    );
  return found;
}

/** The ids of the master keys that a database was set up with; none where it was not. */
async function masterKeysOf(databaseUrl: string): Promise<string[]> {
  return asOwner(databaseUrl, 'wharf:start', async (client) => {
    const { rows: tables } = await client.query<{ installation: boolean; list: boolean }>(
      `select to_regclass('public.installation') is not null as installation,
         to_regclass('public.master_keys') is not null as list`,
    );
    const ids = async (sql: string): Promise<string[]> =>
      (await client.query<{ id: string }>(sql)).rows.map(({ id }) => id);
    const [present] = tables;
    const listed = present?.list === true ? await ids(`select id from master_keys order by created_at, id`) : [];
    if (listed.length > 0 || present?.installation !== true) return listed;
    // Set up by a version whose master key could not be replaced.
    return ids(`select master_key_id as id from installation`);
  });
}
