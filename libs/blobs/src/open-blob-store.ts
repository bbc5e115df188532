import { randomBytes } from 'node:crypto';
import { ConfigError, type ObjectStoreAddress, type Secret } from '#libs/config';
import type { Database } from '#libs/database';
import { BlobStore } from './blob-store.js';
import { ObjectStoreError } from './object-store-error.js';
import { S3Objects, type ObjectStore } from './s3-objects.js';

/** What a service is told about the object store. */
export interface ObjectStoreConfig {
  readonly WHARF_BLOBS_URL?: ObjectStoreAddress | undefined;
  readonly WHARF_BLOBS_ACCESS_KEY_ID?: string | undefined;
  readonly WHARF_BLOBS_SECRET_ACCESS_KEY?: Secret | undefined;
}

/** Every service writes an object of this name when it starts, to see that it may. */
const CHECK = 'wharf-check';

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

async function openObjects(
  config: ObjectStoreConfig,
  onAway: (error: ObjectStoreError) => void,
): Promise<ObjectStore | undefined> {
  const address = config.WHARF_BLOBS_URL;
  const accessKeyId = config.WHARF_BLOBS_ACCESS_KEY_ID;
  const secretAccessKey = config.WHARF_BLOBS_SECRET_ACCESS_KEY;
  if (address === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new ConfigError('WHARF_BLOBS_URL needs WHARF_BLOBS_ACCESS_KEY_ID and WHARF_BLOBS_SECRET_ACCESS_KEY.');
  const objects = new S3Objects({ address, accessKeyId, secretAccessKey });
  try {
    await tryObjects(objects);
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    if (error.kind === 'refused') throw new ConfigError(error.message, { cause: error });
    onAway(error);
  }
  return objects;
}

/** Writes, reads and deletes an object. */
async function tryObjects(objects: ObjectStore): Promise<void> {
  const content = randomBytes(16);
  const key = `${CHECK}/${content.toString('hex')}`;
  await objects.put(key, content);
  const back = await objects.get(key, content.length);
  await objects.delete(key);
  if (back?.equals(content) !== true)
    throw new ObjectStoreError('refused', 'it did not give back what was stored.', { key });
}
