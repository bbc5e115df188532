import path from 'node:path';
import { z } from 'zod';
import type { ReleaseSource } from '#libs/protocol';
import { at, type Problems } from '../build-checks/problems.js';
import { readSettings, settingSchema } from './bundle-config.js';
import { readStart, startSchema, type BundleStartTexts } from './bundle-start.js';

type BundleSource = Extract<ReleaseSource, { kind: 'bundle' }>;

/** What workers run on. */
const PLATFORM = 'linux';

/**
 * What we read of a bundle's manifest.json (MCPB specification, MANIFEST.md). Of `mcp_config` that is the arguments behind
 * the entry point and the environment; its command is never run.
 */
const bundleManifestSchema = z.object({
  name: z.string().min(1).max(256),
  display_name: z.string().max(256).optional(),
  version: z.string().min(1).max(64),
  server: z.object({
    type: z.string(),
    entry_point: z.string().min(1).max(1_024),
    mcp_config: startSchema.optional(),
  }),
  user_config: z.record(z.string().max(128), settingSchema).optional(),
  compatibility: z.object({ platforms: z.array(z.string().max(32)).max(16).optional() }).optional(),
});

/** The parts of a bundle's manifest that a release is made from. */
export interface BundleOutline {
  readonly name: string;
  readonly title: string | undefined;
  readonly version: string;
  /** Normalized, below the bundle's folder. */
  readonly entryPoint: string;
  readonly start: BundleStartTexts;
}

/** The outline of a manifest's text; what is wrong with it is noted. */
export function readBundleManifest(
  problems: Problems,
  pointer: string,
  { text, config }: { text: string; config: BundleSource['config'] },
): BundleOutline | undefined {
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
  const { platforms } = parsed.data.compatibility ?? {};
  if (platforms !== undefined && !platforms.includes(PLATFORM))
    problems.add(
      at(pointer, 'compatibility', 'platforms'),
      `The bundle is for ${platforms.join(', ') || 'no system'} only, and is run on ${PLATFORM} here. Pack one for ${PLATFORM}.`,
    );
  const entryPoint = path.posix.normalize(server.entry_point);
  if (path.posix.isAbsolute(entryPoint) || entryPoint.split('/').includes('..') || entryPoint.includes('\0'))
    problems.add(at(pointer, 'server', 'entry_point'), 'This leads out of the bundle. Name a file inside it.');
  const values = readSettings(problems, at(pointer, 'user_config'), settings, config);
  const mapped = { start: server.mcp_config ?? startSchema.parse({}), entryPoint, values };
  const start = readStart(problems, at(pointer, 'server', 'mcp_config'), mapped);
  return { name, title, version, entryPoint, start };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which the schema refuses
  }
}
