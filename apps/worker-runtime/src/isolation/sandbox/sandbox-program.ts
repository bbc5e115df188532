import path from 'node:path';
import type { WorkerOptions } from '../worker-driver.js';
import { ALONE, bundleFlags, heapMb, idleArgument, RUNNER_V8_FLAGS } from '../worker-limits.js';
import { filesOfModules, INSIDE, librariesOf, type VisibleFile } from './runtime-files.js';
import { INSTALLER_FOLDER, RUNNER_FOLDER } from '../project-root.js';
import { SCRATCH } from './sandbox-command.js';

const NODE = path.join(INSIDE, 'bin', 'node');

/** What runs in a driver's sandboxes, and which files of the host it sees. */
export interface SandboxProgram {
  readonly files: readonly VisibleFile[];
  /** What one that installs packages sees on top. */
  readonly installerFiles?: readonly VisibleFile[];
  readonly command: (options: WorkerOptions) => readonly string[];
}

/** Node and its libraries. */
export async function nodeFiles(): Promise<VisibleFile[]> {
  const libraries = await librariesOf(process.execPath);
  return [{ from: process.execPath, to: NODE }, ...libraries.map((file) => ({ from: file, to: file }))];
}

/** A module of our own in Node; `readable` is what else it sees. */
export function nodeProgram(files: readonly VisibleFile[], flags: readonly string[], module: string): SandboxProgram {
  return {
    files,
    command: ({ memoryMb, bundles, ...options }) => [
      NODE,
      `--max-old-space-size=${heapMb(memoryMb)}`,
      ...flags,
      ...(bundles === true ? bundleFlags(SCRATCH) : []),
      module,
      ...(bundles === true ? [ALONE, ...idleArgument(options)] : []),
    ],
  };
}

/** The runner. It starts no thread, and no process but those of bundles, which Node's permission model says a second time. */
export async function runnerProgram(): Promise<SandboxProgram> {
  const files = [...(await nodeFiles()), ...filesOfModules(RUNNER_FOLDER)];
  const module = path.join(INSIDE, RUNNER_FOLDER, 'main.js');
  const program = nodeProgram(files, [...RUNNER_V8_FLAGS, '--permission', `--allow-fs-read=${INSIDE}`], module);
  return { ...program, installerFiles: filesOfModules(INSTALLER_FOLDER) };
}
