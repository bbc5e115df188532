import type { Secret } from '#libs/config';
import { findBlob } from '#libs/blobs';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { bundleNeedsOf, type Supplier } from '#libs/protocol';
import { TenantVault } from '#libs/secrets';
import { loadEgressContext } from './egress-context.js';

/**
 * Answers the runtime's `want` from the database: manifests and egress context of one tenant, nothing of another.
 * A bundle's archive comes along when its manifest alone is wanted, so that no answer holds two of them.
 */
export function databaseSupplier(database: Database, masterKey: Secret): Supplier {
  const vault = new TenantVault(masterKey);
  return {
    supply: (tenantId, digests, context) =>
      database.asTenant(tenantId, async (tx) => {
        const manifests = new Map<string, Buffer>();
        for (const digest of digests) {
          const content = await findBlob(tx, tenantId, digest);
          if (content === undefined) throw new AppError('not_found', { detail: { tenantId, digest } });
          manifests.set(digest, content);
          const artefact = digests.length === 1 ? bundleNeedsOf(content)?.artefact : undefined;
          const archive = artefact === undefined ? undefined : await findBlob(tx, tenantId, artefact);
          if (artefact !== undefined && archive !== undefined) manifests.set(artefact, archive);
        }
        return context ? { manifests, context: await loadEgressContext(tx, tenantId, vault) } : { manifests };
      }),
  };
}
