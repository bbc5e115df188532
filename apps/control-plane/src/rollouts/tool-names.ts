import { z } from 'zod';
import { findBlob } from '#libs/blobs';
import type { Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { parseJson } from '#libs/http';
import { toolsOfBoth, type ToolsOfBoth } from '#libs/rollouts';

const toolsSchema = z.object({
  kind: z.string(),
  tools: z.array(
    z.object({ name: z.string(), annotations: z.object({ readOnlyHint: z.boolean().optional() }).optional() }),
  ),
});

/** Releases that run no code with a memory of its own: each call stands for itself, whatever session it is of. */
const WITHOUT_MEMORY: ReadonlySet<string> = new Set(['openapi', 'http']);

/** What a rollout needs to know of two releases. */
export interface RolledTools extends ToolsOfBoth {
  /** Whether neither release remembers anything of a session. */
  readonly remembersNothing: boolean;
}

/** Reads the tools' names out of two manifests. @throws AppError `not_found` where one is gone */
export async function readRolledTools(
  tx: Transaction,
  tenantId: string,
  digests: { readonly stable: string; readonly candidate: string },
): Promise<RolledTools> {
  const read = async (digest: string) => {
    const manifest = await findBlob(tx, tenantId, digest);
    if (manifest === undefined) throw new AppError('not_found');
    return toolsSchema.parse(parseJson(manifest, { depthMax: 512, keysMax: 10_000_000 }));
  };
  const [stable, candidate] = [await read(digests.stable), await read(digests.candidate)];
  const remembersNothing = [stable, candidate].every(({ kind }) => WITHOUT_MEMORY.has(kind));
  return { ...toolsOfBoth(stable.tools, candidate.tools), remembersNothing };
}
