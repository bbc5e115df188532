import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const IMAGE = `registry.example.com/wharf@${DIGEST}`;
const ARGUMENTS = ['registry.example.com/wharf', '1.4.0', 'production/green'];

let folder: string;

/** A program that writes down how it was called, and what it would have written for the next step. */
function stand(name: string, does: string): void {
  const file = path.join(folder, 'bin', name);
  writeFileSync(file, `#!/bin/sh\necho "${name} $*" >> "${folder}/calls"\n${does}\n`);
  chmodSync(file, 0o755);
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-release-'));
  for (const below of ['bin', 'clone/deploy']) mkdirSync(path.join(folder, below), { recursive: true });
  cpSync('deploy/release.sh', path.join(folder, 'clone/deploy/release.sh'));
  execFileSync('git', ['init', '-q'], { cwd: path.join(folder, 'clone') });
  commit();
  const metadata = JSON.stringify({ 'containerimage.digest': DIGEST });
  stand(
    'docker',
    `while [ $# -gt 0 ]; do
       case "$1" in
         --metadata-file) echo '${metadata}' > "$2" ;;
         --output) echo '{"bomFormat":"CycloneDX"}' > "$2/sbom.cdx.json" ;;
       esac
       shift
     done`,
  );
  stand('cosign', `case "$*" in *--predicate*) cat "$6" >> "${folder}/attested" ;; esac`);
  stand('npm', '');
});
afterEach(() => rmSync(folder, { recursive: true }));

function commit(): void {
  const as = ['-c', 'user.name=Test', '-c', 'user.email=test@wharf.example'];
  for (const args of [
    ['add', '-A'],
    [...as, 'commit', '-qm', 'A commit'],
  ])
    execFileSync('git', args, { cwd: path.join(folder, 'clone') });
}

function release(args: readonly string[]): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync('sh', [path.join(folder, 'clone/deploy/release.sh'), ...args], {
    env: { ...process.env, PATH: `${path.join(folder, 'bin')}:${process.env['PATH']}` },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, text: stdout + stderr };
}

const calls = (): string[] =>
  existsSync(path.join(folder, 'calls')) ? readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n') : [];

test('a release checks that all is pinned, builds for both machines, signs what was pushed with its list, and writes it down', () => {
  const { status, text } = release(ARGUMENTS);
  expect([status, text]).toEqual([0, expect.stringContaining(`as ${DIGEST}`)]);
  const made = calls();
  expect(made.map((call) => call.split(' ').slice(0, 3).join(' '))).toEqual([
    'npm run --silent',
    'docker buildx build',
    'docker buildx build',
    'cosign sign --yes',
    'cosign attest --yes',
    'npm run --silent',
  ]);
  expect(made[0]).toContain('images -- check --pinned');
  expect(made[1]).toMatch(
    /--platform linux\/amd64,linux\/arm64 .*--sbom=true .*--tag registry\.example\.com\/wharf:1\.4\.0 .*--push/,
  );
  expect(made[3]).toContain(IMAGE);
  expect(made[4]).toMatch(new RegExp(`--type cyclonedx .*${IMAGE}`));
  expect(readFileSync(path.join(folder, 'attested'), 'utf8')).toContain('CycloneDX');
  expect(made[5]).toBe(`npm run --silent images -- release ${IMAGE} production/green`);
});

test.each([
  ['what it builds upon is not pinned', 'npm', 1],
  ['the build fails', 'docker', 2],
  ['it cannot be signed', 'cosign', 4],
])('where %s, nothing after that is done, and no overlay changes', (_what, program, steps) => {
  stand(program, 'exit 1');
  expect(release(ARGUMENTS).status).not.toBe(0);
  expect(calls()).toHaveLength(steps);
  expect(calls().join('\n')).not.toContain('images -- release');
});

test('a release of changes that are not committed, or for no overlay, is refused', () => {
  expect(release(ARGUMENTS.slice(0, 2)).text).toMatch(/Name the overlays/);
  writeFileSync(path.join(folder, 'clone/changed'), 'x');
  expect(release(ARGUMENTS).text).toMatch(/not committed/);
  expect(calls()).toEqual([]);
});
