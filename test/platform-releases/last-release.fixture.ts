import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The release that is in use while this one is rolled out: its version, and its commit in this repository. */
export interface LastRelease {
  readonly version: string;
  readonly commit: string;
}

/** What `last-release.json` names. */
export function lastRelease(): LastRelease {
  const file = path.resolve('test/platform-releases/last-release.json');
  return JSON.parse(readFileSync(file, 'utf8')) as LastRelease; // ours, beside this file
}

/**
 * Takes the last release out of the repository's history and builds it, with the packages that are installed now;
 * returns its folder. @throws Error saying what to do where this clone does not have that commit
 */
export async function buildLastRelease({ version, commit }: LastRelease = lastRelease()): Promise<string> {
  await requireCommit({ version, commit });
  const folder = path.resolve('.cache', 'last-release', commit);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const archive = `${folder}.tar`;
  await run('git', ['archive', '--format=tar', `--output=${archive}`, commit]);
  await run('tar', ['-xf', archive, '-C', folder]);
  rmSync(archive);
  // Hard links, not a link to the folder: sandboxes show a release its own folder alone.
  await run('cp', ['-al', path.resolve('node_modules'), path.join(folder, 'node_modules')]);
  await run(process.execPath, ['scripts/build.mjs'], { cwd: folder });
  return folder;
}

async function requireCommit({ version, commit }: LastRelease): Promise<void> {
  const found = await run('git', ['cat-file', '-e', `${commit}^{commit}`]).then(
    () => true,
    () => false,
  );
  if (found) return;
  throw new Error(
    `The last release, ${version}, is commit ${commit}, and this folder has no such commit. ` +
      'It has to be a git clone with its history: git fetch --unshallow',
  );
}
