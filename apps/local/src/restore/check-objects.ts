import { z } from 'zod';
import { findMissingObjects, openObjects, type ObjectSearch } from '#libs/blobs';
import { objectStoreShape, parseConfig, PLATFORM_KEYS, type Environment } from '#libs/config';
import { BackupError } from '../backup/backup-error.js';
import { asOwner } from '../backup/tables.js';

/** What a restored database refers to in the object store, and what of it is not there. */
export interface ObjectsFound {
  readonly referred: number;
  readonly missing: number;
  /** Why nothing could be looked for. */
  readonly unchecked?: string;
}

/**
 * Looks for the artefacts and archives that a database says are in the object store, and tells each that is not there. What keeps it from
 * looking is an answer too: everything else is restored by now.
 */
export async function checkObjects(
  databaseUrl: string,
  environment: Environment,
  onMissing: (line: string) => void,
): Promise<ObjectsFound> {
  let [referred, missing] = [0, 0];
  try {
    await asOwner(databaseUrl, 'wharf:restore', async (client) => {
      const search: ObjectSearch = {
        query: (sql, values) => client.query(sql, [...values]),
        onMissing: ({ tenant_id: tenant, what, digest }, key) => {
          missing += 1;
          onMissing(`  ${what} ${digest} of tenant ${tenant}: no object ${key}`);
        },
      };
      referred = await findMissingObjects(undefined, search);
      if (referred === 0) return;
      const config = parseConfig(z.object(objectStoreShape), environment, PLATFORM_KEYS);
      if (config.WHARF_BLOBS_URL === undefined) throw new BackupError('WHARF_BLOBS_URL is not set');
      await findMissingObjects(await openObjects(config, () => undefined), search);
    });
    return { referred, missing };
  } catch (error) {
    return { referred, missing, unchecked: error instanceof Error ? error.message : String(error) };
  }
}

/** What to say of it after a restore, and to do; undefined where everything is there. */
export function troubleWith({ referred, missing, unchecked }: ObjectsFound): string | undefined {
  if (unchecked !== undefined)
    return (
      `${referred} artefacts and archives are in the object store, and were not all looked for: ${unchecked}\n` +
      'Every row is restored. Give the services the settings of the store that they had; calls and releases that need an object that is not there say so in the log.\n'
    );
  if (missing === 0) return undefined;
  return (
    `${missing} of the ${referred} artefacts and archives that the database refers to are not in the object store.\n` +
    'Every row is restored. Bring these objects back under the same keys, from versions that the bucket keeps or from its replica; until then, calls and releases that need one fail, and say which in the log.\n'
  );
}
