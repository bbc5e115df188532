import { createHash } from 'node:crypto';
import { newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { ObjectStoreError } from './object-store-error.js';
import type { ObjectStore } from './s3-objects.js';
import { hasBlob, requireRoom } from './stored.js';
import { noteObject, useObject } from './unused-objects.js';

/** Bytes, and where they are: here, in an object of the object store, or with others of the same digest (neither). */
export interface Placed {
  readonly digest: string;
  readonly bytes: number;
  readonly content: Buffer | null;
  readonly object: string | null;
}

/** The SHA-256 of bytes, as everything that is stored is named. */
export function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** Where an object is. The tenant leads the key and comes from the caller, so that no row can name another's. */
export function objectKey(tenantId: string, digest: string, object: string): string {
  return `${tenantId}/${digest.replace(/^sha256:/, '')}.${object}`;
}

/**
 * Where large bytes are: in an object store where there is one, else with the row that refers to them. An object store
 * is asked outside any transaction, before the row is written and after it is read.
 */
export class BlobStore {
  constructor(
    private readonly database: Database,
    private readonly objects?: ObjectStore,
  ) {}

  /** Whether there is an object store. */
  get hasObjects(): boolean {
    return this.objects !== undefined;
  }

  /**
   * Brings bytes to where they are to stay. They belong to nobody until `keepPlaced` takes them into use, and are
   * deleted again where that does not happen within ten minutes.
   * @throws AppError `unavailable` when the object store does not take them
   */
  async place(tenantId: string, content: Buffer): Promise<Placed> {
    return this.#place(tenantId, content, async () => true);
  }

  /**
   * As `place`, for bytes that `keepBlob` is to keep: nothing is sent for bytes that the tenant has already.
   * @throws AppError as `place`, and `conflict` when the tenant would store more than it may
   */
  async placeBlob(tenantId: string, content: Buffer): Promise<Placed> {
    return this.#place(tenantId, content, async (tx, digest) => {
      if (await hasBlob(tx, tenantId, digest)) return false;
      await requireRoom(tx, tenantId, content.length);
      return true;
    });
  }

  /** The bytes, which are checked against their digest. @throws AppError `unavailable`, or `internal` when they are not what was stored */
  async read(tenantId: string, { digest, bytes, content, object }: Placed): Promise<Buffer> {
    if (content !== null) return content;
    const detail = { tenantId, digest, object };
    if (this.objects === undefined || object === null)
      throw new AppError('unavailable', {
        detail: { ...detail, reason: 'the bytes are in an object store; set WHARF_BLOBS_URL' },
      });
    const found = await answered(this.objects.get(objectKey(tenantId, digest, object), bytes));
    if (found !== undefined && digestOf(found) === digest) return found;
    const reason = found === undefined ? 'its object is gone from the store' : 'its object holds other bytes';
    throw new AppError('internal', { detail: { ...detail, reason } });
  }

  async #place(
    tenantId: string,
    content: Buffer,
    isWanted: (tx: Transaction, digest: string) => Promise<boolean>,
  ): Promise<Placed> {
    const { objects } = this;
    const digest = digestOf(content);
    const bytes = content.length;
    if (objects === undefined) return { digest, bytes, content, object: null };
    const object = newId();
    const isNoted = await this.database.asTenant(tenantId, async (tx) => {
      if (!(await isWanted(tx, digest))) return false;
      await noteObject(tx, tenantId, { id: object, digest, bytes });
      return true;
    });
    if (!isNoted) return { digest, bytes, content: null, object: null };
    await answered(objects.put(objectKey(tenantId, digest, object), content));
    return { digest, bytes, content: null, object };
  }

  /** Deletes an object that was claimed. @throws ObjectStoreError */
  async deleteObject(tenantId: string, digest: string, object: string): Promise<void> {
    await this.objects?.delete(objectKey(tenantId, digest, object));
  }
}

/** Takes placed bytes into use, in the transaction whose row refers to them. @throws AppError `unavailable` when it is too late */
export async function keepPlaced(tx: Transaction, tenantId: string, { object }: Placed): Promise<void> {
  if (object !== null) await useObject(tx, tenantId, object);
}

async function answered<Result>(asked: Promise<Result>): Promise<Result> {
  return asked.catch((error: unknown) => {
    if (!(error instanceof ObjectStoreError)) throw error;
    const detail = { ...error.detail, reason: error.message };
    throw new AppError('unavailable', { detail, cause: error, retryAfterSeconds: 5 });
  });
}
