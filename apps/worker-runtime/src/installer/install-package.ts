import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import Arborist, { type ArboristNode, type ArboristTree } from '@npmcli/arborist';
import pacote from 'pacote';
import { entryPointOf } from './entry-point.js';
import { faultOf, InstallFault, type InstallProblem } from './install-fault.js';
import { packagesOf, refuseNativeBuilds, refuseTree } from './installed-tree.js';

/** What is to be installed where. */
export interface InstallOrder {
  readonly name: string;
  /** A version, a range of versions or a tag. */
  readonly version: string;
  readonly registryUrl: string;
  /** The way to the registry. */
  readonly proxyUrl: string | undefined;
  /** What the registry's archive must be, when whoever asks has said it: hexadecimal. */
  readonly fileSha256?: string | undefined;
  /** A folder that is not there yet. */
  readonly folder: string;
}

/** An installed package; `integrities` by `name@version`, of it and all that it needs. */
export interface InstalledPackage {
  readonly kind: 'installed';
  readonly version: string;
  readonly integrity: string;
  /** Path of the module that is the server, below the folder. */
  readonly entryPoint: string;
  readonly mcpName?: string | undefined;
  readonly integrities: Readonly<Record<string, string>>;
}

/** How an installation ended. */
export type InstallAnswer =
  | InstalledPackage
  | { readonly kind: 'refused'; readonly problems: readonly InstallProblem[] }
  | { readonly kind: 'unreachable' };

/** Packages come from the registry and run nothing; git, URLs, files and folders are refused before anything is fetched. */
const RULES = {
  ignoreScripts: true,
  binLinks: false,
  omit: ['dev'],
  allowGit: 'none',
  allowRemote: 'none',
  allowFile: 'none',
  allowDirectory: 'none',
  replaceRegistryHost: 'always',
  omitLockfileRegistryResolved: true,
  audit: false,
  fund: false,
  progress: false,
};
const NETWORK = { fetchRetries: 1, fetchRetryMintimeout: 500, fetchTimeout: 30_000, maxSockets: 12 };

/**
 * Installs a package and all that it needs. What is left of one that fails goes with the folder that it was to go to, which
 * npm may still be writing to. @throws InstallFault; RegistryUnreachable
 */
export async function installPackage(order: InstallOrder): Promise<InstalledPackage> {
  const { name, version, folder } = order;
  const asked = `${name}@${version}`;
  const cache = `${folder}-cache`;
  await mkdir(folder, { recursive: true });
  const options = optionsOf(order, cache);
  const tree = await install(options, asked);
  const root = tree.children.get(name);
  if (root === undefined) throw new InstallFault([{ message: `${asked} was not installed.` }]);
  await refuseOtherFile(order, root, options);
  await refuseNativeBuilds(tree);
  const { file, mcpName } = await entryPointOf(root.path, name);
  await rm(cache, { recursive: true, force: true });
  return {
    kind: 'installed',
    version: root.version,
    integrity: root.integrity ?? '',
    entryPoint: path.posix.join(root.location, file),
    mcpName,
    integrities: Object.fromEntries(
      packagesOf(tree)
        .filter((node) => node.integrity !== null)
        .map((node) => [`${node.packageName ?? node.name}@${node.version}`, node.integrity ?? ''])
        .toSorted(([left = ''], [right = '']) => (left < right ? -1 : 1)),
    ),
  };
}

type Options = Readonly<Record<string, unknown>>;

function optionsOf({ registryUrl, proxyUrl, folder }: InstallOrder, cache: string): Options {
  const way = proxyUrl === undefined ? {} : { proxy: proxyUrl, httpsProxy: proxyUrl, noProxy: '' };
  return { ...RULES, ...NETWORK, ...way, path: folder, cache, registry: registryUrl };
}

/** The archive, which lies in the cache, must have the hash that a server.json names. */
async function refuseOtherFile(
  { name, fileSha256 }: InstallOrder,
  { version, integrity }: ArboristNode,
  options: Options,
): Promise<void> {
  if (fileSha256 === undefined) return;
  const archive = await pacote.tarball(`${name}@${version}`, { ...options, integrity });
  if (createHash('sha256').update(archive).digest('hex') === fileSha256) return;
  throw new InstallFault([
    { message: `The archive of ${name}@${version} does not have the "fileSha256" that is given.` },
  ]);
}

async function install(options: Options, asked: string): Promise<ArboristTree> {
  const arborist = new Arborist(options);
  try {
    refuseTree(await arborist.buildIdealTree({ add: [asked] }));
    return await arborist.reify();
  } catch (error) {
    throw faultOf(error, asked);
  }
}
