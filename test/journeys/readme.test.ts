import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startWharf, type Wharf } from '#libs/testing';

let wharf: Wharf;
let folder: string;
beforeAll(async () => {
  wharf = await startWharf();
  folder = mkdtempSync(path.join(tmpdir(), 'wharf-readme-'));
  mkdirSync(path.join(folder, '.wharf'));
  writeFileSync(path.join(folder, '.wharf', 'operator.key'), wharf.operatorKey);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await wharf.stop();
});

/** The blocks of a section that a shell can run. */
function commands(section: string): string {
  const readme = readFileSync('README.md', 'utf8');
  const text = readme.split(/^## /m).find((part) => part.startsWith(section)) ?? '';
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block).join('\n');
}

test('the journey in the README works when copied into a shell', async () => {
  const script = commands('The journey, by hand').replaceAll('http://localhost:4000', wharf.url);
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    timeout: 120_000,
  });
  expect(stdout).toContain('"slug":"acme"');
  expect(stdout).toContain('"name":"code__get_repository"');
  // The call reached its tool; whether GitHub answers is up to the machine's network.
  expect(stdout).toMatch(/"result":\{"content":.*"id":2\}/);
  expect(stdout).toContain('release.published');
  expect(stdout).not.toMatch(/"status":[45]\d\d/);
});
