import { ConfigError, type AwsEnvironment, type ObjectStoreAddress, type Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { BlobStore } from './blob-store.js';
import { ObjectStoreError } from './object-store-error.js';
import { S3Objects, type ObjectStore } from './s3-objects.js';

/** What a service is told about the object store. */
export interface ObjectStoreConfig extends AwsEnvironment {
  readonly WHARF_BLOBS_URL?: ObjectStoreAddress | undefined;
  readonly WHARF_BLOBS_ACCESS_KEY_ID?: string | undefined;
  readonly WHARF_BLOBS_SECRET_ACCESS_KEY?: Secret | undefined;
  readonly WHARF_BLOBS_SESSION_TOKEN?: Secret | undefined;
}

/** Every service writes this object when it starts, to see that it may; it stays, always the same. */
const CHECK = 'wharf-check';
const CHECKED = Buffer.from('Wharf keeps artefacts and archives here.\n');

/**
 * Opens the store that the configuration names: an object store, which is tried, or PostgreSQL alone. An object store
 * that is away for the moment is left to come back; one that refuses is a mistake in the configuration.
 * @throws ConfigError
 */
export async function openBlobStore(
  database: Database,
  config: ObjectStoreConfig,
  onAway: (error: ObjectStoreError) => void,
): Promise<BlobStore> {
  return new BlobStore(database, await openObjects(config, onAway));
}

/**
 * The object store that the configuration names, which is tried; undefined where it names none.
 * @throws ConfigError where it refuses
 */
export async function openObjects(
  config: ObjectStoreConfig,
  onAway: (error: ObjectStoreError) => void,
): Promise<ObjectStore | undefined> {
  const address = config.WHARF_BLOBS_URL;
  if (address === undefined) return undefined;
  const own = {
    prefix: 'WHARF_BLOBS',
    accessKeyId: config.WHARF_BLOBS_ACCESS_KEY_ID,
    secretAccessKey: config.WHARF_BLOBS_SECRET_ACCESS_KEY,
    sessionToken: config.WHARF_BLOBS_SESSION_TOKEN,
  };
  const objects = new S3Objects({ address, signing: { own, environment: config } });
  try {
    await tryObjects(objects);
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    if (error.kind === 'refused') throw new ConfigError(error.message, { cause: error });
    onAway(error);
  }
  return objects;
}

/** Writes and reads an object, and deletes one that is not there: each wants a permission of its own. */
async function tryObjects(objects: ObjectStore): Promise<void> {
  await objects.put(CHECK, CHECKED);
  const back = await objects.get(CHECK, CHECKED.length);
  await objects.delete(`${CHECK}-nothing`);
  if (back?.equals(CHECKED) !== true)
    throw new ObjectStoreError('refused', 'it did not give back what was stored.', { key: CHECK });
}
