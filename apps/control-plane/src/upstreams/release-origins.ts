import { z } from 'zod';
import { findBlob } from '#libs/blobs';
import type { Transaction } from '#libs/database';
import { parseJson } from '#libs/http';

const originsSchema = z.object({ origins: z.array(z.url()) });

/** The origins that a release of the tenant may call, by its digest. */
export async function originsOf(tx: Transaction, tenantId: string, digest: string): Promise<string[]> {
  const manifest = await findBlob(tx, tenantId, digest);
  if (manifest === undefined) return [];
  const { origins } = originsSchema.parse(parseJson(manifest, { depthMax: 512, keysMax: 10_000_000 }));
  return origins.map((origin) => new URL(origin).origin);
}
