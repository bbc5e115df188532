import type { Secret } from '#libs/config';
import { findBlob, findPlaced, type BlobStore, type Placed } from '#libs/blobs';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { bundleNeedsOf, type Supplier } from '#libs/protocol';
import { TenantVault } from '#libs/secrets';
import { loadEgressContext } from './egress-context.js';

/**
 * Answers the runtime's `want` from the database: manifests, views and egress context of one tenant, nothing of another.
 * A bundle's archive comes along when its manifest alone is wanted, so that no answer holds two of them; it is read
 * after the transaction, for it may be in an object store.
 */
export function databaseSupplier(database: Database, masterKey: Secret, blobs: BlobStore): Supplier {
  const vault = new TenantVault(masterKey);
  return {
    supply: async (tenantId, digests, context) => {
      const { archive, ...found } = await database.asTenant(tenantId, async (tx) => {
        const manifests = new Map<string, Buffer>();
        let archive: Placed | undefined;
        for (const digest of digests) {
          const content = (await findBlob(tx, tenantId, digest)) ?? (await findView(tx, tenantId, digest));
          if (content === undefined) throw new AppError('not_found', { detail: { tenantId, digest } });
          manifests.set(digest, content);
          const artefact = digests.length === 1 ? bundleNeedsOf(content)?.artefact : undefined;
          archive = artefact === undefined ? undefined : await findPlaced(tx, tenantId, artefact);
        }
        const egress = context ? { context: await loadEgressContext(tx, tenantId, vault) } : {};
        return { archive, manifests, ...egress };
      });
      if (archive !== undefined) found.manifests.set(archive.digest, await blobs.read(tenantId, archive));
      return found;
    },
  };
}

/** A profile's view, or the one that it had before: calls that are on their way may still name that one. */
async function findView(tx: Transaction, tenantId: string, digest: string): Promise<Buffer | undefined> {
  const rows: Array<{ view: string }> = await tx.query(
    `select case when view_digest = $2 then view else previous_view end as view from profiles
     where tenant_id = $1 and $2 in (view_digest, previous_view_digest) limit 1`,
    [tenantId, digest],
  );
  const [found] = rows;
  return found === undefined ? undefined : Buffer.from(found.view);
}
