import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '@jest/globals';
import { buildLastRelease, findCommit } from './last-release.fixture.js';

const NOWHERE = '0123456789012345678901234567890123456789';

test('a clone without the last release’s tag and commit is told how to get it', async () => {
  const missing = { version: '9.9.9', commit: NOWHERE };
  await expect(buildLastRelease(missing)).rejects.toThrow(/v9\.9\.9.*git fetch --unshallow --tags/);
});

test('the version’s tag says what the last release is, and the named commit only where there is none', async () => {
  const repository = mkdtempSync(path.join(tmpdir(), 'wharf-tags-'));
  const author = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', repository, ...author, ...args], { encoding: 'utf8' }).trim();
  try {
    git('init', '--quiet');
    git('commit', '--quiet', '--allow-empty', '-m', 'one');
    const commit = git('rev-parse', 'HEAD');
    expect(await findCommit({ version: '1.2.0', commit }, repository)).toBe(commit);
    git('commit', '--quiet', '--allow-empty', '-m', 'two');
    git('tag', '-a', 'v1.2.0', '-m', '1.2.0');
    expect(await findCommit({ version: '1.2.0', commit }, repository)).toBe(git('rev-parse', 'HEAD'));
    expect(await findCommit({ version: '1.2.0', commit: NOWHERE }, repository)).toBe(git('rev-parse', 'HEAD'));
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
});
