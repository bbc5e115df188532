import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readLock } from './lock.js';
import { findFaults, findUnpinned, pin, pinFrom } from './pin.js';
import { findPlaces } from './places.js';
import { isDigest, locationOf, NOT_PINNED, NOT_RELEASED, parseReference } from './reference.js';
import { TestRegistry } from './registry.fixture.js';
import { resolveDigest } from './registry.js';
import { writeRelease } from './release.js';

let registry: TestRegistry;
let root: string;
const options = { urlOf: () => registry.url };
const OURS = `registry.example.com/wharf@sha256:${'0123456789abcdef'.repeat(4)}`;

beforeAll(async () => void (registry = await TestRegistry.start()));
afterAll(() => registry.stop());

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'wharf-images-'));
  for (const name of ['Dockerfile', 'docker-compose.yml', 'images.lock.json', 'k8s'])
    cpSync(name, path.join(root, name), { recursive: true });
  registry.liesWith = undefined;
  registry.tail = '';
});
afterEach(() => rmSync(root, { recursive: true }));

/** Every file below the folder, to see that nothing was changed. */
function contents(): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [
      path.join(parentPath, name),
      readFileSync(path.join(parentPath, name), 'utf8'),
    ]),
  );
}

function pushAll(): ReadonlyMap<string, string> {
  return new Map(
    [...readLock(root).keys()].map((version) => {
      const { name, tag = '' } = parseReference(version);
      return [version, registry.push(locationOf(name).repository, tag, version)];
    }),
  );
}

function change(file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(path.join(root, file), 'utf8');
  expect(text).toMatch(from);
  writeFileSync(path.join(root, file), text.replace(from, to));
}

describe('the files of this repository', () => {
  test('name each image with the digest that the lock file has, and leave none without', () => {
    expect([findFaults('.'), findUnpinned('.')]).toEqual([[], []]);
    const files = new Set(findPlaces('.').map(({ file }) => file));
    const manifests = ['front', 'stores'].map((name) => `k8s/overlays/local/${name}.yaml`);
    expect(files).toEqual(new Set(['Dockerfile', 'docker-compose.yml', ...manifests]));
  });

  test('an image that nobody pinned is taken by no engine, and says what to run', () => {
    for (const placeholder of [NOT_PINNED, NOT_RELEASED]) {
      expect(isDigest(placeholder)).toBe(false);
      expect(placeholder).toMatch(/npm-run-images-(pin|release)$/);
    }
    expect(isDigest(`sha256:${'0'.repeat(64)}`)).toBe(false);
  });
});

describe('pinning', () => {
  test('writes what the registry has into the lock file and every file, and again after a tag has moved', async () => {
    const first = pushAll();
    expect(await pin(root, options)).toEqual(first);
    expect([findFaults(root), findUnpinned(root)]).toEqual([[], []]);
    const compose = readFileSync(path.join(root, 'docker-compose.yml'), 'utf8');
    expect(compose).toContain(`image: postgres:18.4@${first.get('postgres:18.4')}`);
    expect(compose).not.toContain('not-pinned');
    expect(readFileSync(path.join(root, 'Dockerfile'), 'utf8')).toMatch(
      /^ARG NODE_IMAGE=node:\S+@sha256:[0-9a-f]{64}$/m,
    );
    const moved = registry.push('library/postgres', '18.4', 'a newer build of the same version');
    await pin(root, options);
    expect(readLock(root).get('postgres:18.4')).toBe(moved);
    expect(findFaults(root)).toEqual([]);
  });

  test('asks for each version once, as the registry calls it', async () => {
    pushAll();
    registry.asked = [];
    await pin(root, options);
    expect(registry.asked.toSorted()).toEqual([...new Set(registry.asked)].toSorted());
    expect(registry.asked).toEqual(expect.arrayContaining(['library/postgres:18.4', 'grafana/grafana:12.3.0']));
  });

  test.each([
    ['is not there', () => registry.push('library/postgres', '18.4', ''), 'postgres:99.9', /has no postgres:99\.9/],
    ['is left open', pushAll, 'postgres:latest', /leaves the version of postgres open; write one/],
  ])('changes nothing where a version %s', async (_what, prepare, named, sentence) => {
    pushAll();
    prepare();
    change('docker-compose.yml', /postgres:18\.4@\S+/, named);
    const before = contents();
    await expect(pin(root, options)).rejects.toThrow(sentence);
    expect(contents()).toEqual(before);
  });

  test('changes nothing where the registry cannot be reached, and says where it was looked for', async () => {
    const before = contents();
    await expect(pin(root, { urlOf: () => 'http://127.0.0.1:1' })).rejects.toThrow(
      /cannot be reached at 127\.0\.0\.1:1/,
    );
    expect(contents()).toEqual(before);
  });

  test('takes no digest from a registry that sends something else, or without end', async () => {
    registry.push('library/redis', '8', 'what is sent');
    registry.liesWith = `sha256:${'0123456789abcdef'.repeat(4)}`;
    await expect(resolveDigest('redis', '8', options)).rejects.toThrow(/sent another manifest/);
    registry.tail = ' '.repeat(5 * 1024 * 1024);
    await expect(resolveDigest('redis', '8', options)).rejects.toThrow(/sends more than \d+ bytes/);
  });
});

describe('pinning without a registry', () => {
  const digestOf = (index: number): string => `sha256:${index.toString(16).padStart(2, '0').repeat(31)}ab`;
  const listOf = (): string =>
    [...readLock(root).keys()].map((version, index) => `${version}@${digestOf(index)} # looked up\n`).join('');

  test('writes the digests of a list into the lock file and every file', () => {
    const list = listOf();
    pinFrom(root, `# as of today\n\n${list}`);
    expect([findFaults(root), findUnpinned(root)]).toEqual([[], []]);
    for (const line of list.trim().split('\n')) {
      const [version = '', digest] = (line.split(' ')[0] ?? '').split('@');
      expect(readLock(root).get(version)).toBe(digest);
    }
  });

  test.each([
    ['leaves an image out', (list: string) => list.replace(/^caddy:.*\n/, ''), /has no digest for caddy:/],
    ['has another version', (list: string) => list.replace('caddy:', 'caddy:0.'), /caddy:0\.\S+, which no file names/],
    ['has a tag alone', (list: string) => list.replace(/@sha256:\w+/, ''), /has no digest that a registry gives/],
    ['says two things', (list: string) => `${list}caddy:2.10.2@${digestOf(77)}\n`, /two digests for caddy:2\.10\.2/],
  ])('changes nothing where the list %s', (_what, change, sentence) => {
    const before = contents();
    expect(() => pinFrom(root, change(listOf()))).toThrow(sentence);
    expect(contents()).toEqual(before);
  });
});

describe('checking', () => {
  test.each([
    ['another digest than the lock', `postgres:18.4@sha256:${'ab'.repeat(32)}`, /has sha256:abab.* for postgres:18\.4/],
    ['no digest', 'postgres:18.4', /has no digest for postgres:18\.4/],
    ['another version', 'postgres:18.5', /names postgres:18\.5, which images\.lock\.json does not know/],
  ])('notices %s', (_what, named, sentence) => {
    change('docker-compose.yml', /postgres:18\.4@\S+/, named);
    expect(findFaults(root).join('\n')).toMatch(sentence);
  });

  test('notices what the lock knows and no file names, and refuses a lock with a made-up digest', () => {
    change('images.lock.json', '"caddy:2.10.2"', '"caddy:2.9.0"');
    expect(findFaults(root).join('\n')).toMatch(/knows caddy:2\.9\.0, which no file names/);
    change('images.lock.json', /null|"sha256:[0-9a-f]+"/, `"sha256:${'0'.repeat(64)}"`);
    expect(() => findFaults(root)).toThrow(/no digest that a registry gives/);
  });
});

describe('a release', () => {
  const imageOf = (overlay: string): string =>
    readFileSync(path.join(root, 'k8s/overlays', overlay, 'image/kustomization.yaml'), 'utf8');

  test('is written into the overlays that are named and no other', () => {
    const before = new Map(['production/blue', 'staging'].map((overlay) => [overlay, imageOf(overlay)]));
    writeRelease(root, OURS, ['production/green', 'production/shared']);
    for (const overlay of ['production/green', 'production/shared'])
      expect(imageOf(overlay)).toContain(OURS.split('@')[1]);
    // A job of another name: one that is there already could not be changed.
    expect(imageOf('production/green')).toContain('value: wharf-migrate-0123456789 }');
    for (const overlay of ['production/blue', 'staging']) expect(imageOf(overlay)).toBe(before.get(overlay));
  });

  test.each([
    ['a tag alone', 'registry.example.com/wharf:1.2.3', ['staging'], /has no digest; give name@sha256/],
    ['zeros', `registry.example.com/wharf@sha256:${'0'.repeat(64)}`, ['staging'], /has no digest/],
    ['an overlay that is none', OURS, ['staging', 'prodction'], /prodction names no image of ours/],
    ['no overlay', OURS, [], /No overlay is named/],
  ])('of %s is refused and changes nothing', (_what, image, overlays, sentence) => {
    mkdirSync(path.join(root, 'k8s/overlays'), { recursive: true });
    const before = contents();
    expect(() => writeRelease(root, image, overlays)).toThrow(sentence);
    expect(contents()).toEqual(before);
  });
});

test.each([
  ['postgres', 'docker.io', 'library/postgres'],
  ['grafana/grafana', 'docker.io', 'grafana/grafana'],
  ['docker.io/library/node', 'docker.io', 'library/node'],
  ['registry.example.com:5000/a/b', 'registry.example.com:5000', 'a/b'],
])('%s is asked for at %s as %s', (name, registryName, repository) => {
  expect(locationOf(name)).toEqual({ registry: registryName, repository });
});
