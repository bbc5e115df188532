import { rm } from 'node:fs/promises';
import path from 'node:path';
import { sha256Digest, type BundleManifest, type ReleaseSource } from '#libs/protocol';
import { at, Problems } from '../build/problems.js';
import { ArchiveFault, unpackArchive } from '../bundles/archive.js';
import { pinServer } from '../bundles/build-bundle.js';
import type { BundleStartTexts } from '../bundles/bundle-start.js';
import { readOrigins } from '../bundles/origins.js';
import { readPackages } from '../bundles/packed-packages.js';
import { installed, type Installed } from './install.js';
import { packFolder } from './pack-folder.js';
import { readServerJson } from './server-json.js';
import { readStartInputs } from './start-inputs.js';

type NpmSource = Extract<ReleaseSource, { kind: 'npm' }>;

/** A release of a package, and the archive that it is run from. */
export interface BuiltPackage {
  readonly manifest: BundleManifest;
  readonly archive: Buffer;
}

/** Which package is asked for, and what it is started with. */
interface Wanted {
  /** Pointer to where the source names it. */
  readonly place: string;
  readonly name: string;
  readonly version: string;
  readonly start: BundleStartTexts;
  readonly title?: string | undefined;
  /** Its server's name in the MCP registry. */
  readonly serverName?: string | undefined;
  readonly fileSha256?: string | undefined;
}

/** What can name a package at a registry, or a version, a range or a tag of one: never a URL, a path or a repository. */
const NAME = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
const VERSION = /^[0-9A-Za-z.+\-^~<>=*| ]{1,128}$/;
const ARCHIVE_BYTES_MAX = 32 * 1024 * 1024;

/** Installs a package and all it needs, packs it, and starts its server once to list its tools. @throws AppError unprocessable, unavailable */
export async function buildNpm(serverSlug: string, source: NpmSource, registryUrl: string): Promise<BuiltPackage> {
  const problems = new Problems();
  const wanted = readWanted(problems, source, registryUrl);
  const origins = readOrigins(problems, source.origins);
  problems.refuse();
  if (wanted === undefined) throw new Error('a source without a problem names a package');
  const { place, name, version, title, start } = wanted;
  const target = path.join(process.cwd(), 'package');
  const order = { name, version, registryUrl, folder: target, fileSha256: wanted.fileSha256 };
  const found = await installed(problems, place, order);
  refuseForeign(problems, wanted, found);
  const archive = await packFolder(target);
  await rm(target, { recursive: true });
  const folder = path.join(process.cwd(), 'bundle');
  await unpack(problems, place, archive, folder);
  const packages = await readPackages(problems, place, folder);
  problems.refuse();
  const { entryPoint, integrity, integrities } = found;
  const manifest = await pinServer(problems, {
    place,
    folder,
    serverSlug,
    artefact: sha256Digest(archive),
    outline: { name, title, version: found.version, entryPoint, start },
    origins,
    packages: packages && { ...packages, integrities },
    npm: { name, version: found.version, integrity },
  });
  return { manifest, archive };
}

function readWanted(problems: Problems, source: NpmSource, registryUrl: string): Wanted | undefined {
  const { package: name, version = 'latest', serverJson, config } = source;
  if ((name === undefined) === (serverJson === undefined)) {
    problems.add('/package', 'Give either "package" or "serverJson".');
    return undefined;
  }
  if (serverJson !== undefined) return readEntry(problems, source, serverJson, registryUrl);
  for (const setting of Object.keys(config ?? {}))
    problems.add(at('/config', setting), 'Only what a server.json declares can be set. Give "serverJson".');
  refuseName(problems, '/package', name ?? '');
  if (!VERSION.test(version))
    problems.add('/version', 'This is no version, range of versions or tag. Give one, such as 1.4.0 or ^1.4.0.');
  return { place: '/package', name: name ?? '', version, start: { args: [], env: {}, secrets: [] } };
}

function readEntry(
  problems: Problems,
  { version, config }: NpmSource,
  serverJson: Readonly<Record<string, unknown>>,
  registryUrl: string,
): Wanted | undefined {
  if (version !== undefined) problems.add('/version', 'The server.json names the version. Leave this out.');
  const entry = readServerJson(problems, serverJson, registryUrl);
  if (entry === undefined) return undefined;
  refuseName(problems, at(entry.place, 'identifier'), entry.identifier);
  const { place, identifier: name, title, serverName, fileSha256, version: exact = '' } = entry;
  return { place, name, version: exact, start: readStartInputs(problems, entry, config), title, serverName, fileSha256 };
}

function refuseName(problems: Problems, pointer: string, name: string): void {
  if (!NAME.test(name) || name.length > 214)
    problems.add(pointer, 'This is no name of a package at a registry, such as @scope/name. URLs and paths are not taken.');
}

/** A package that says which server of the MCP registry it is must be meant. */
function refuseForeign(problems: Problems, { place, serverName }: Wanted, { mcpName }: Installed): void {
  if (serverName === undefined || mcpName === undefined || mcpName === serverName) return;
  problems.add(
    at(place, 'identifier'),
    `The package says that it is ${JSON.stringify(mcpName.slice(0, 200))}, and this is the server.json of another.`,
  );
  problems.refuse();
}

async function unpack(problems: Problems, place: string, archive: Buffer, folder: string): Promise<void> {
  if (archive.length > ARCHIVE_BYTES_MAX)
    problems.add(place, `It has more than ${ARCHIVE_BYTES_MAX} bytes when it is packed with all it needs.`);
  problems.refuse();
  try {
    await unpackArchive(archive, folder);
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    problems.add(place, `What it needs was installed and cannot be kept. ${error.message}`);
  }
  problems.refuse();
}
