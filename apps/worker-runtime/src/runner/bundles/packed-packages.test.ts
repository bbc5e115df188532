import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Problems } from '../build-checks/problems.js';
import { readPackages } from './packed-packages.js';

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'wharf-packages-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Reads the packages of a bundle with these files; `refused` says what is wrong with them. */
async function read(files: Record<string, unknown>) {
  const folder = path.join(root, `${(count += 1)}`);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  const problems = new Problems();
  return { packages: await readPackages(problems, '/artefact', folder), refuse: () => problems.refuse() };
}

const LOCK = {
  lockfileVersion: 3,
  packages: {
    '': { name: 'mine', version: '1.0.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/@s/b': { version: '2.0.0', hasInstallScript: true },
    'node_modules/@s/b/node_modules/a': { version: '0.9.0' },
    'node_modules/alias': { name: 'real', version: '3.0.0' },
    'node_modules/tool': { version: '1.0.0', dev: true },
    'node_modules/work': { link: true, version: '1.0.0' },
    'node_modules/odd name': { version: '1.0.0' },
  },
};
const LISTED = {
  versions: { a: ['0.9.0', '1.0.0'], '@s/b': ['2.0.0'], real: ['3.0.0'] },
  installScripts: ['@s/b'],
};

test('the packages of either lock file are listed, without those for development', async () => {
  expect((await read({ 'package-lock.json': LOCK })).packages).toEqual(LISTED);
  expect((await read({ 'node_modules/.package-lock.json': LOCK })).packages).toEqual(LISTED);
});

test('a bundle without a lock file, or with one that is none, says nothing about packages', async () => {
  expect((await read({ 'package.json': {} })).packages).toBeUndefined();
  expect((await read({ 'package-lock.json': '{"packages":', 'package.json': '[' })).packages).toBeUndefined();
});

test('an install script of the bundle itself is refused, for it would never run', async () => {
  const { refuse } = await read({ 'package.json': { scripts: { postinstall: 'node build.js', start: 'node .' } } });
  expect(refuse).toThrow();
  expect((await read({ 'package.json': { scripts: { start: 'node .' } } })).refuse).not.toThrow();
});
