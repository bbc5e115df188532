import { z } from 'zod';
import { findBlob } from '#libs/blobs';
import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { parseJson } from '#libs/http';

const toolsSchema = z.object({
  tools: z.array(
    z.object({ name: z.string(), annotations: z.object({ readOnlyHint: z.boolean().optional() }).optional() }),
  ),
});

/** The tools of two releases. */
export interface ToolsOfBoth {
  /** Of either. */
  readonly all: readonly string[];
  /** Those that both have and both say only read. */
  readonly readOnly: readonly string[];
}

/** Reads the tools' names out of two manifests. @throws AppError `not_found` where one is gone */
export async function toolsOfBoth(
  tx: Transaction,
  tenantId: string,
  digests: { readonly stable: string; readonly candidate: string },
): Promise<ToolsOfBoth> {
  const read = async (digest: string) => {
    const manifest = await findBlob(tx, tenantId, digest);
    if (manifest === undefined) throw new AppError('not_found');
    return toolsSchema.parse(parseJson(manifest, { depthMax: 512, keysMax: 10_000_000 })).tools;
  };
  const [stable, candidate] = [await read(digests.stable), await read(digests.candidate)];
  const reading = new Set(stable.filter((tool) => tool.annotations?.readOnlyHint === true).map(({ name }) => name));
  return {
    all: [...new Set([...stable, ...candidate].map(({ name }) => name))],
    readOnly: candidate
      .filter(({ name, annotations }) => annotations?.readOnlyHint === true && reading.has(name))
      .map(({ name }) => name),
  };
}
