import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { PackedPackages } from '#libs/protocol';
import { at, type Problems } from '../build-checks/problems.js';

/** The lock files of npm: its author's, and the one that npm leaves beside what it installed. */
const LOCK_FILES = ['package-lock.json', 'node_modules/.package-lock.json'];
const LOCK_BYTES_MAX = 16 * 1024 * 1024;
const PACKAGES_MAX = 5_000;
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall'];
const NAME = /^(?:@[a-z0-9~._-]{1,100}\/)?[a-z0-9~._-]{1,214}$/i;
const VERSION = /^[0-9A-Za-z.+-]{1,64}$/;

/** What we read of a lock file of version 2 or 3 (npm, package-lock.json, "packages"). */
const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      name: z.string().optional(),
      dev: z.boolean().optional(),
      link: z.boolean().optional(),
      hasInstallScript: z.boolean().optional(),
    }),
  ),
});
const packageSchema = z.object({ scripts: z.record(z.string(), z.unknown()).default({}) });

/**
 * The packages that a bundle's lock file names, without those for development; undefined where it has none. The bundle's
 * own install scripts are a problem: nothing of it is ever installed, so what they would do would be missing.
 */
export async function readPackages(
  problems: Problems,
  place: string,
  folder: string,
): Promise<PackedPackages | undefined> {
  await refuseInstallScripts(problems, at(place, 'package.json'), path.join(folder, 'package.json'));
  for (const file of LOCK_FILES) {
    const parsed = lockSchema.safeParse(await readJson(path.join(folder, file)));
    if (parsed.success) return listed(problems, at(place, file), parsed.data);
  }
  return undefined;
}

async function refuseInstallScripts(problems: Problems, place: string, file: string): Promise<void> {
  const parsed = packageSchema.safeParse(await readJson(file));
  const found = parsed.success ? INSTALL_SCRIPTS.filter((name) => Object.hasOwn(parsed.data.scripts, name)) : [];
  for (const name of found)
    problems.add(
      at(place, 'scripts', name),
      'Nothing is installed here, so this never runs. Do its work before you pack the bundle, and leave it out.',
    );
}

function listed(problems: Problems, place: string, lock: z.infer<typeof lockSchema>): PackedPackages {
  const versions = new Map<string, Set<string>>();
  const installScripts = new Set<string>();
  for (const [where, { name: alias, version, dev, link, hasInstallScript }] of Object.entries(lock.packages)) {
    const name = alias ?? where.slice(where.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const skipped = where === '' || dev === true || link === true || version === undefined;
    if (skipped || !where.includes('node_modules/') || !NAME.test(name) || !VERSION.test(version)) continue;
    versions.set(name, (versions.get(name) ?? new Set()).add(version));
    if (hasInstallScript === true) installScripts.add(name);
  }
  if (versions.size > PACKAGES_MAX)
    problems.add(place, `A bundle may have ${PACKAGES_MAX} packages, and this has more.`);
  return {
    versions: Object.fromEntries([...versions].map(([name, found]) => [name, [...found].sort()])),
    installScripts: [...installScripts].sort(),
  };
}

async function readJson(file: string): Promise<unknown> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true || found.size > LOCK_BYTES_MAX) return undefined;
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined; // a lock file that is none says nothing about packages
  }
}
