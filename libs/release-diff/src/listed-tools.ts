import { z } from 'zod';
import { annotationsSchema, canonicalJson, sha256Digest } from '#libs/protocol';
import type { ListedTool } from './release-diff.js';

const listSchema = z.object({
  tools: z.array(
    z.object({
      name: z.string(),
      title: z.string().optional(),
      description: z.string(),
      inputSchema: z.record(z.string(), z.unknown()),
      outputSchema: z.record(z.string(), z.unknown()).optional(),
      // A newer release of the platform may know more of them.
      annotations: z.object(annotationsSchema.shape).optional(),
      _meta: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
});

/** What agents see of a manifest's tools. @throws ZodError where it is none */
export function listedToolsOf(manifest: unknown): ListedTool[] {
  return listSchema.parse(manifest).tools as ListedTool[]; // absent members are absent, never undefined, in JSON
}

/** The canonical SHA-256 of what agents see of a tool: any change of it, a single letter even, is another hash. */
export function definitionDigest(tool: ListedTool): string {
  return sha256Digest(canonicalJson(tool));
}
