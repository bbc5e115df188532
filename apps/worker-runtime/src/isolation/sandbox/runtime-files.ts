import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { PROJECT_ROOT } from '../project-root.js';

/** A file or folder of the host, and where a worker finds it, read-only. */
export interface VisibleFile {
  readonly from: string;
  readonly to: string;
}

/** Where the platform's code is inside a sandbox. */
export const INSIDE = '/wharf';

const IMPORTS = /\b(?:from|import\()\s*['"]([^'"]+)['"]/g;

const packageSchema = z.object({
  dependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
});

/** A program and the shared libraries that the system's loader gives it. @throws when the loader does not tell */
export async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(program, { env: { LD_TRACE_LOADED_OBJECTS: '1' }, timeout: 5_000 });
  const named = stdout.split('\n').map((line) => /^\s*(?:\S+ => )?(\/\S+)(?: \(0x|$)/.exec(line)?.[1]);
  const libraries = named.filter((file) => file !== undefined);
  if (libraries.length === 0) throw new Error(`the libraries of ${program} are not known`);
  return libraries;
}

/** Everything of the platform that a compiled folder reads: its own modules, our libraries and the packages they import. */
export function filesOfModules(folder: string): VisibleFile[] {
  const folders = new Set<string>();
  const packages = new Set<string>();
  addModules(folder, folders, packages);
  const places = new Set<string>();
  for (const name of packages) addPackage(name, PROJECT_ROOT, places);
  const outermost = [...places].filter((place) => ![...places].some((other) => place.startsWith(`${other}/`)));
  return [
    ...[...folders, 'package.json'].map((name) => inPlace(path.join(PROJECT_ROOT, name))),
    ...outermost.map(inPlace),
  ];
}

function inPlace(file: string): VisibleFile {
  return { from: realpathSync(file), to: path.join(INSIDE, path.relative(PROJECT_ROOT, file)) };
}

/** Follows the imports of a compiled folder to our other folders and to packages. */
function addModules(folder: string, folders: Set<string>, packages: Set<string>): void {
  if (folders.has(folder)) return;
  folders.add(folder);
  const root = path.join(PROJECT_ROOT, folder);
  const modules = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'));
  for (const name of modules) {
    if (name.endsWith('.fixture.js')) continue;
    for (const [, imported = ''] of readFileSync(path.join(root, name), 'utf8').matchAll(IMPORTS)) {
      const library = /^#libs\/(.+)$/.exec(imported)?.[1];
      if (library !== undefined) addModules(`dist/libs/${library}/src`, folders, packages);
      else if (/^(@[\w.-]+\/)?[a-z0-9][\w.-]*(\/|$)/.test(imported)) packages.add(packageName(imported));
    }
  }
}

function packageName(imported: string): string {
  return imported
    .split('/')
    .slice(0, imported.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Adds a package as `folder` sees it, with what it depends on; what is not installed is not added. */
function addPackage(name: string, folder: string, places: Set<string>): void {
  const place = findPackage(name, folder);
  if (place === undefined || places.has(place)) return;
  places.add(place);
  const { dependencies, peerDependencies } = packageSchema.parse(
    JSON.parse(readFileSync(path.join(place, 'package.json'), 'utf8')),
  );
  for (const needed of Object.keys({ ...dependencies, ...peerDependencies })) addPackage(needed, place, places);
}

function findPackage(name: string, folder: string): string | undefined {
  const place = path.join(folder, 'node_modules', name);
  if (existsSync(path.join(place, 'package.json'))) return place;
  return folder === PROJECT_ROOT ? undefined : findPackage(name, path.dirname(folder));
}
