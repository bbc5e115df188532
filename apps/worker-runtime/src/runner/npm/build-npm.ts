import { rm } from 'node:fs/promises';
import path from 'node:path';
import { sha256Digest, type BundleManifest, type ReleaseSource } from '#libs/protocol';
import { at, Problems } from '../build-checks/problems.js';
import { ArchiveFault, unpackArchive } from '../bundles/archive.js';
import { pinServer } from '../bundles/build-bundle.js';
import { readOrigins } from '../bundles/origins.js';
import { readPackages } from '../bundles/packed-packages.js';
import { installed, type Installed } from './install.js';
import { packFolder } from './pack-folder.js';
import { readWanted, type WantedPackage } from './wanted-package.js';

type NpmSource = Extract<ReleaseSource, { kind: 'npm' }>;

/** A release of a package, and the archive that it is run from. */
export interface BuiltPackage {
  readonly manifest: BundleManifest;
  readonly archive: Buffer;
}

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
  const folder = path.join(process.cwd(), 'bundle');
  const archive = await packed(problems, place, target, folder);
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

/** A package that says which server of the MCP registry it is must be meant. */
function refuseForeign(problems: Problems, { place, serverName }: WantedPackage, { mcpName }: Installed): void {
  if (serverName === undefined || mcpName === undefined || mcpName === serverName) return;
  problems.add(
    at(place, 'identifier'),
    `The package says that it is ${JSON.stringify(mcpName.slice(0, 200))}, and this is the server.json of another.`,
  );
  problems.refuse();
}

/** The archive of what was installed; its server is started from it, unpacked, as workers will. */
async function packed(problems: Problems, place: string, installed: string, folder: string): Promise<Buffer> {
  try {
    const archive = await packFolder(installed);
    await rm(installed, { recursive: true });
    if (archive.length > ARCHIVE_BYTES_MAX)
      throw new ArchiveFault(`They have more than ${ARCHIVE_BYTES_MAX} bytes, packed.`);
    await unpackArchive(archive, folder);
    return archive;
  } catch (error) {
    if (!(error instanceof ArchiveFault)) throw error;
    problems.add(place, `Its packages cannot be kept. ${error.message}`);
    problems.refuse();
    throw error;
  }
}
