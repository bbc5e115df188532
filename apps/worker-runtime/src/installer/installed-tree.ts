import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ArboristNode, ArboristTree } from '@npmcli/arborist';
import { z } from 'zod';
import { InstallFault, type InstallProblem } from './install-fault.js';

const PACKAGES_MAX = 1_000;
const PROBLEMS_MAX = 20;
const STRONG = /^sha(?:256|384|512)-/;
const NATIVE_BUILD = /node-gyp|node-pre-gyp|prebuild-install|cmake-js|node-waf|neon build|cargo build|\bmake\b/;
const scriptsSchema = z.object({ scripts: z.record(z.string(), z.unknown()).default({}) });

/** Refuses a tree with packages from elsewhere, without a strong hash, or with more packages than may be. @throws InstallFault */
export function refuseTree(tree: ArboristTree): void {
  const nodes = packagesOf(tree);
  if (nodes.length > PACKAGES_MAX)
    throw new InstallFault([{ message: `It needs ${nodes.length} packages; at most ${PACKAGES_MAX} are installed.` }]);
  refuse(nodes.flatMap((node) => faultOfNode(node)));
}

/** Refuses packages that must be compiled when they are installed, which is not done here. @throws InstallFault */
export async function refuseNativeBuilds(tree: ArboristTree): Promise<void> {
  const problems: InstallProblem[] = [];
  for (const node of packagesOf(tree)) {
    if (!(await needsNativeBuild(node.path))) continue;
    const message = `${nameOf(node)} must be compiled when it is installed, which is not done here. Ask for a package without native code.`;
    problems.push({ location: node.location, message });
  }
  refuse(problems);
}

/** All packages of a tree, by where they lie. */
export function packagesOf(tree: ArboristTree): ArboristNode[] {
  return [...tree.inventory.values()].filter(({ isRoot }) => !isRoot);
}

function faultOfNode(node: ArboristNode): InstallProblem[] {
  const { location } = node;
  if (node.isLink || !(node.inBundle || /^https?:\/\//.test(node.resolved ?? '')))
    return [
      {
        location,
        message: `${nameOf(node)} does not come from the registry. Only packages of the registry are installed.`,
      },
    ];
  if (!node.inBundle && !STRONG.test(node.integrity ?? ''))
    return [
      {
        location,
        message: `The registry names no SHA-256, SHA-384 or SHA-512 hash of ${nameOf(node)}, so that it cannot be pinned.`,
      },
    ];
  return [];
}

/** A package with a binding.gyp is compiled, unless it brings what others have compiled. */
async function needsNativeBuild(folder: string): Promise<boolean> {
  if (await exists(path.join(folder, 'prebuilds'))) return false;
  if (await exists(path.join(folder, 'binding.gyp'))) return true;
  const parsed = scriptsSchema.safeParse(await readJson(path.join(folder, 'package.json')));
  const { preinstall, install, postinstall } = parsed.success ? parsed.data.scripts : {};
  return [preinstall, install, postinstall].some((script) => NATIVE_BUILD.test(String(script ?? '')));
}

function refuse(problems: readonly InstallProblem[]): void {
  if (problems.length > 0) throw new InstallFault(problems.slice(0, PROBLEMS_MAX));
}

function nameOf({ name, version }: ArboristNode): string {
  return JSON.stringify(`${name}@${version}`.slice(0, 200));
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined; // npm itself has read it, so what it says does not matter here
  }
}
