import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  annotationsSchema,
  TOOL_NAME,
  type Bundle,
  type BundleManifest,
  type ListedDefinition,
  type PackedPackages,
  type ReleaseSource,
} from '#libs/protocol';
import { at, Problems } from '../build-checks/problems.js';
import { refuseHidden, refuseHiddenWithin } from '../build-checks/text-safety.js';
import { pinMeta } from '../build-checks/tool-meta.js';
import { refuseBadSchema } from '../build-checks/tool-schema.js';
import { ArchiveFault, unpackArchive } from './archive.js';
import { readBundleManifest, type BundleOutline } from './bundle-manifest.js';
import { readOrigins } from './origins.js';
import { readPackages } from './packed-packages.js';
import { learnServer, type Learned } from './learn-server.js';

type BundleSource = Extract<ReleaseSource, { kind: 'bundle' }>;
type Listed = Learned['tools'][number];
const PLACE = '/artefact';
const MANIFEST_BYTES_MAX = 1024 * 1024;
const TOOLS_MAX = 500;
const TEXT_CHARACTERS_MAX = 16_384;
const ANNOTATIONS = Object.keys(annotationsSchema.shape);

/** The manifest of a bundle: unpacked, checked, its server started once to list its tools. @throws AppError unprocessable */
export async function buildBundle(
  serverSlug: string,
  source: BundleSource,
  archive: Uint8Array | undefined,
): Promise<BundleManifest> {
  const problems = new Problems();
  const folder = path.join(process.cwd(), 'bundle');
  await unpack(problems, archive, folder);
  const outline = await readOutline(problems, folder, source.config);
  const packages = await readPackages(problems, PLACE, folder);
  const origins = readOrigins(problems, source.origins);
  problems.refuse();
  if (outline === undefined) throw new Error('a bundle without a problem has an outline');
  const { artefact } = source;
  return pinServer(problems, { place: PLACE, folder, serverSlug, artefact, outline, origins, packages });
}

/** A third-party server on disk, and what a release of it is made from. */
export interface UnpackedServer {
  /** Pointer to where it comes from in the source. */
  readonly place: string;
  readonly folder: string;
  readonly serverSlug: string;
  readonly artefact: string;
  readonly outline: BundleOutline;
  readonly origins: string[];
  readonly packages: PackedPackages | undefined;
  readonly npm?: Bundle['npm'];
}

/** The manifest of a server that is unpacked: it is started once to list its tools. @throws AppError unprocessable */
export async function pinServer(problems: Problems, server: UnpackedServer): Promise<BundleManifest> {
  const { place, outline, origins, artefact, packages, npm } = server;
  const learned = await learn(problems, server);
  const tools = learned.tools.map((tool, index) => pinTool(problems, at(place, 'tools', index), tool));
  if (tools.length > TOOLS_MAX)
    problems.add(at(place, 'tools'), `A server may have ${TOOLS_MAX} tools, and this has more.`);
  if (new Set(tools.map(({ name }) => name)).size < tools.length)
    problems.add(at(place, 'tools'), 'Two tools have the same name. Rename one.');
  const { name, title, version, entryPoint, start } = outline;
  for (const text of [name, title, version, learned.instructions]) refuseHidden(problems, place, text ?? '');
  problems.refuse();
  return {
    version: 1,
    kind: 'bundle',
    server: {
      name: server.serverSlug,
      ...(title === undefined ? {} : { title }),
      ...(learned.instructions === undefined
        ? {}
        : { instructions: learned.instructions.slice(0, TEXT_CHARACTERS_MAX) }),
    },
    origins,
    credentials: [],
    bundle: {
      artefact,
      entryPoint,
      name,
      version,
      era: learned.era,
      ...start,
      offers: learned.offers,
      ...(packages === undefined ? {} : { packages }),
      ...(npm === undefined ? {} : { npm }),
    },
    tools,
  };
}

async function unpack(problems: Problems, archive: Uint8Array | undefined, folder: string): Promise<void> {
  try {
    await unpackArchive(Buffer.from(archive ?? []), folder);
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    problems.add(PLACE, error.message);
  }
  problems.refuse();
}

async function readOutline(
  problems: Problems,
  folder: string,
  config: BundleSource['config'],
): Promise<BundleOutline | undefined> {
  const file = path.join(folder, 'manifest.json');
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || !found.isFile() || found.size > MANIFEST_BYTES_MAX) {
    problems.add(PLACE, 'The archive has no manifest.json of at most 1 MiB at its top. Pack it with `mcpb pack`.');
    return undefined;
  }
  const place = at(PLACE, 'manifest.json');
  const outline = readBundleManifest(problems, place, { text: await readFile(file, 'utf8'), config });
  if (outline === undefined || problems.any) return outline;
  const entry = await stat(path.join(folder, outline.entryPoint)).catch(() => undefined);
  if (entry?.isFile() !== true)
    problems.add(at(place, 'server', 'entry_point'), 'There is no such file in the archive. Name the server’s module.');
  return outline;
}

/** Starts the server and asks what it offers; that it does not come up is a problem. */
async function learn(problems: Problems, { place, folder, outline }: UnpackedServer): Promise<Learned> {
  const { entryPoint, start } = outline;
  try {
    return await learnServer(folder, entryPoint, start);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.add(place, `The server did not start and list its tools: ${reason}`);
    problems.refuse();
    throw error;
  }
}

/** A tool as the release will always show it; what is wrong with it is noted. */
export function pinTool(problems: Problems, pointer: string, tool: Listed): ListedDefinition {
  const { name, title, description = '', inputSchema, outputSchema, annotations = {} } = tool;
  if (!TOOL_NAME.test(name))
    problems.add(at(pointer, 'name'), 'A name has at most 64 characters of A-Z, a-z, 0-9, _ and -. Rename the tool.');
  if (description.length > TEXT_CHARACTERS_MAX)
    problems.add(
      at(pointer, 'description'),
      `A description has at most ${TEXT_CHARACTERS_MAX} characters. Shorten it.`,
    );
  const shown = Object.fromEntries(Object.entries(annotations).filter(([hint]) => ANNOTATIONS.includes(hint)));
  const pinned: ListedDefinition = {
    name,
    ...(title === undefined ? {} : { title }),
    description,
    inputSchema: withoutDialect(inputSchema),
    ...(outputSchema === undefined ? {} : { outputSchema: withoutDialect(outputSchema) }),
    ...(Object.keys(shown).length === 0 ? {} : { annotations: annotationsSchema.parse(shown) }),
  };
  refuseBadSchema(problems, at(pointer, 'inputSchema'), pinned.inputSchema, 'input');
  if (pinned.outputSchema !== undefined)
    refuseBadSchema(problems, at(pointer, 'outputSchema'), pinned.outputSchema, 'output');
  refuseHiddenWithin(problems, pointer, pinned);
  return { ...pinned, ...pinMeta(problems, pointer, tool._meta) };
}

/** SDKs before the 2026 era wrote draft-07 into every schema, which for what they write means the same. */
function withoutDialect(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { $schema: dialect, ...rest } = schema;
  return dialect === 'http://json-schema.org/draft-07/schema#' ? rest : { ...schema };
}
