import path from 'node:path';
import { z } from 'zod';
import { at, type Problems } from '../build/problems.js';

/**
 * What we read of a bundle's manifest.json (MCPB specification, MANIFEST.md). `mcp_config` is not read: a bundle's
 * command, arguments and environment are never run as given.
 */
const bundleManifestSchema = z.object({
  name: z.string().min(1).max(256),
  display_name: z.string().max(256).optional(),
  version: z.string().min(1).max(64),
  server: z.object({ type: z.string(), entry_point: z.string().min(1).max(1_024) }),
  user_config: z
    .record(z.string(), z.object({ required: z.boolean().optional(), default: z.unknown().optional() }))
    .optional(),
});

/** The parts of a bundle's manifest that a release is made from. */
export interface BundleOutline {
  readonly name: string;
  readonly title: string | undefined;
  readonly version: string;
  /** Normalized, below the bundle's folder. */
  readonly entryPoint: string;
}

/** The outline of a manifest's text; what is wrong with it is noted. */
export function readBundleManifest(problems: Problems, pointer: string, text: string): BundleOutline | undefined {
  const parsed = bundleManifestSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    for (const issue of parsed.error.issues) problems.add(at(pointer, ...issue.path.map(String)), issue.message);
    return undefined;
  }
  const { name, display_name: title, version, server, user_config: settings = {} } = parsed.data;
  if (server.type !== 'node')
    problems.add(
      at(pointer, 'server', 'type'),
      `${JSON.stringify(server.type.slice(0, 32))} servers are not run here. Pack a server of the type "node".`,
    );
  for (const [setting, { required, default: preset }] of Object.entries(settings)) {
    if (required === true && preset === undefined)
      problems.add(
        at(pointer, 'user_config', setting),
        'Bundles are run without settings of their users. Make this one optional, or give it a default in the server.',
      );
  }
  const entryPoint = path.posix.normalize(server.entry_point);
  if (path.posix.isAbsolute(entryPoint) || entryPoint.split('/').includes('..') || entryPoint.includes('\0'))
    problems.add(at(pointer, 'server', 'entry_point'), 'This leads out of the bundle. Name a file inside it.');
  return { name, title, version, entryPoint };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which the schema refuses
  }
}
