import { z } from 'zod';
import { findBlob } from '#libs/blobs';
import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { parseJson } from '#libs/http';
import { toolsOfBoth, type ToolsOfBoth } from '#libs/rollouts';

const toolsSchema = z.object({
  tools: z.array(
    z.object({ name: z.string(), annotations: z.object({ readOnlyHint: z.boolean().optional() }).optional() }),
  ),
});

/** Reads the tools' names out of two manifests. @throws AppError `not_found` where one is gone */
export async function readToolsOfBoth(
  tx: Transaction,
  tenantId: string,
  digests: { readonly stable: string; readonly candidate: string },
): Promise<ToolsOfBoth> {
  const read = async (digest: string) => {
    const manifest = await findBlob(tx, tenantId, digest);
    if (manifest === undefined) throw new AppError('not_found');
    return toolsSchema.parse(parseJson(manifest, { depthMax: 512, keysMax: 10_000_000 })).tools;
  };
  return toolsOfBoth(await read(digests.stable), await read(digests.candidate));
}
