import { existsSync } from 'node:fs';
import path from 'node:path';

function rootAbove(folder: string): string {
  if (existsSync(path.join(folder, 'package.json'))) return folder;
  if (path.dirname(folder) === folder) throw new Error('no package.json above the worker-runtime');
  return rootAbove(path.dirname(folder));
}

/** The project's root, for the compiled files and for their sources alike. */
export const PROJECT_ROOT = rootAbove(import.meta.dirname);

/** The folder of the compiled installer of packages, relative to the root. */
export const INSTALLER_FOLDER = 'dist/apps/worker-runtime/src/installer';

/** The folder of the compiled runner, relative to the root. */
export const RUNNER_FOLDER = 'dist/apps/worker-runtime/src/runner';
