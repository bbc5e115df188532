import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { faultsOfDockerfile, isIgnored, readStages } from './dockerfile.fixture.js';

const text = readFileSync('Dockerfile', 'utf8');

test('the image is of several stages, is not root, brings no tools, and says when it is ready', () => {
  expect(faultsOfDockerfile(text)).toEqual([]);
  expect(readStages(text).map(({ name }) => name)).toEqual(['build', 'packages', 'sbom', '']);
  expect(text).toContain('/readyz');
});

test.each([
  ['USER 65532:65532', 'USER root', /runs as "root"/],
  ['USER 65532:65532', 'USER wharf', /runs as "wharf"/],
  ['USER 65532:65532', '', /runs as ""/],
  [/^HEALTHCHECK[^]*?\]$/m, '', /does not say how to ask/],
  [/^CMD \[.*\]$/m, 'CMD node dist/apps/gateway/src/main.js', /shell stands before/],
  ['npm ci --ignore-scripts --no-audit', 'npm ci --no-audit', /packages’ own scripts/],
  ['npm ci --ignore-scripts --omit=dev', 'npm install --ignore-scripts --omit=dev', /no lock file names/],
  ['--no-install-recommends ', '', /installs more than it names/],
  ['COPY package.json package-lock.json .npmrc ./', 'COPY package.json yarn.lock ./', /wants yarn\.lock/],
  ['COPY --from=packages', 'COPY --from=packagse', /of a stage that is not there/],
  ['COPY . .', 'ADD https://example.com/it.tgz .', /COPY does not/],
  [/^FROM \$\{NODE_IMAGE\} AS build/m, 'FROM node:latest AS build', /node:latest leaves its version open/],
  [/^FROM \$\{NODE_IMAGE\} AS build/m, 'FROM node AS build', /node leaves its version open/],
])('a Dockerfile with %s as "%s" is noticed', (from, to, fault) => {
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  expect(faultsOfDockerfile(changed).join('\n')).toMatch(fault);
});

test('a build is sent no keys, no history and nothing that was built or fetched here', () => {
  for (const file of [
    '.env',
    '.env.local',
    '.git/config',
    '.wharf/keys/master.key',
    'node_modules/pg/index.js',
    'dist/x',
  ])
    expect([file, isIgnored(file)]).toEqual([file, true]);
  for (const file of [
    'package.json',
    '.npmrc',
    'apps/gateway/src/main.ts',
    'bin/wharf-verify.mjs',
    'migrations/all.ts',
  ])
    expect([file, isIgnored(file)]).toEqual([file, false]);
});
