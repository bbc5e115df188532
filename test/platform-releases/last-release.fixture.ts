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

/** What `last-release.json` names: a version, tagged `v{version}`, or the commit of one that was never tagged. */
export function lastRelease(): LastRelease {
  const file = path.resolve('test/platform-releases/last-release.json');
  return JSON.parse(readFileSync(file, 'utf8')) as LastRelease; // ours, beside this file
}

/**
 * Takes the last release out of the repository's history and builds it, with the packages that are installed now;
 * returns its folder. @throws Error saying what to do where this clone does not have that commit
 */
export async function buildLastRelease({ version, commit }: LastRelease = lastRelease()): Promise<string> {
  const found = await findCommit({ version, commit });
  const folder = path.resolve('.cache', 'last-release', found);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const archive = `${folder}.tar`;
  await run('git', ['archive', '--format=tar', `--output=${archive}`, found]);
  await run('tar', ['-xf', archive, '-C', folder]);
  rmSync(archive);
  // Hard links, not a link to the folder: sandboxes show a release its own folder alone.
  await run('cp', ['-al', path.resolve('node_modules'), path.join(folder, 'node_modules')]);
  await run(process.execPath, ['scripts/build.mjs'], { cwd: folder });
  return folder;
}

/** The commit of the version's tag, or the one that is named where there is no such tag. @throws Error where both are missing */
export async function findCommit({ version, commit }: LastRelease, repository = '.'): Promise<string> {
  const found = (await resolve(`v${version}`, repository)) ?? (await resolve(commit, repository));
  if (found !== undefined) return found;
  throw new Error(
    `The last release, ${version}, is tag v${version} or commit ${commit}, and this folder has neither. ` +
      'It has to be a git clone with its history: git fetch --unshallow --tags',
  );
}

async function resolve(revision: string, repository: string): Promise<string | undefined> {
  const asked = ['-C', repository, 'rev-parse', '--verify', '--quiet', `${revision}^{commit}`];
  return run('git', asked).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}
