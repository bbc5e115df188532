// Compiles apps, libs, migrations and test tools to dist/ with swc: only what changed since the last build.
import { transformFile } from '@swc/core';
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
export const sources = ['apps', 'libs', 'migrations', 'test'];

/** Every TypeScript source below a folder, as paths relative to the root. */
async function sourcesBelow(folder) {
  const entries = await readdir(path.join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && /(?<!\.d)\.ts$/.test(entry.name) && !entry.name.endsWith('.test.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

/** Modification time in milliseconds, or 0 where there is no file. */
async function modified(file) {
  return stat(file).then(
    (found) => found.mtimeMs,
    () => 0,
  );
}

async function compile(source) {
  const target = path.join(root, 'dist', source.replace(/\.ts$/, '.js'));
  if ((await modified(target)) > (await modified(path.join(root, source)))) return 0;
  const { code, map } = await transformFile(path.join(root, source), { sourceFileName: path.join(root, source) });
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, `${code}\n//# sourceMappingURL=${path.basename(target)}.map\n`);
  await writeFile(`${target}.map`, map ?? '');
  return 1;
}

/** Removes compiled files whose source is gone, so that a deleted module cannot be imported by accident. */
async function removeStale(known) {
  for (const folder of sources) {
    const entries = await readdir(path.join(root, 'dist', folder), { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    for (const entry of entries) {
      if (!entry.isFile() || !entry.name.endsWith('.js')) continue;
      const compiled = path.join(entry.parentPath, entry.name);
      const source = path.relative(path.join(root, 'dist'), compiled).replace(/\.js$/, '.ts');
      if (!known.has(source)) await Promise.all([rm(compiled), rm(`${compiled}.map`, { force: true })]);
    }
  }
}

/** Brings dist/ up to date; returns how many files were compiled. */
export async function build() {
  const files = (await Promise.all(sources.map(sourcesBelow))).flat();
  if ((await modified(path.join(root, '.swcrc'))) > (await modified(path.join(root, 'dist', '.stamp')))) {
    await rm(path.join(root, 'dist'), { recursive: true, force: true });
  }
  const counts = await Promise.all(files.map(compile));
  await removeStale(new Set(files));
  await mkdir(path.join(root, 'dist'), { recursive: true });
  await writeFile(path.join(root, 'dist', '.stamp'), '');
  return counts.reduce((sum, count) => sum + count, 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = Date.now();
  const count = await build();
  console.log(`built ${count} changed files in ${Date.now() - started} ms`);
}
