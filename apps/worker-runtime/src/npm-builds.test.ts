import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { manifestSchema, RuntimeClient, sha256Digest, type BundleManifest } from '#libs/protocol';
import { GREETER } from '#libs/testing';
import { NpmBuilds } from './npm-builds.fixture.js';
import { PACKAGES } from './npm-packages.fixture.js';
import { INTAKE_KEY, startRuntime, supplierOf, untilTrue } from './worker-runtime.fixture.js';

let npm: NpmBuilds;
beforeAll(async () => {
  npm = await NpmBuilds.start(PACKAGES);
});
afterAll(() => npm.stop());

const problem = (pointer: string, message: string) => [{ pointer, message: expect.stringContaining(message) }];

async function manifestOf(source: object): Promise<BundleManifest> {
  const manifest = manifestSchema.parse(JSON.parse((await npm.build(source)).manifest.toString()));
  if (manifest.kind !== 'bundle') throw new Error('a package is run as a bundle is');
  return manifest;
}

describe('a package of npm', () => {
  it('is pinned, with all it needs, to exact versions and hashes', async () => {
    const built = await npm.build({ package: GREETER, version: '^1.0.0' });
    const hashOf = (name: string, version: string): string =>
      `sha512-${createHash('sha512').update(npm.registry.archiveOf(name, version)).digest('base64')}`;
    const integrity = hashOf(GREETER, '1.2.0');
    expect(JSON.parse(built.manifest.toString())).toMatchObject({
      kind: 'bundle',
      origins: [],
      tools: [{ name: 'greet' }],
      bundle: {
        artefact: sha256Digest(built.archive ?? ''),
        entryPoint: `node_modules/${GREETER}/dist/index.js`,
        npm: { name: GREETER, version: '1.2.0', integrity },
        packages: {
          versions: { [GREETER]: ['1.2.0'], 'greeting-word': ['1.4.0'] },
          installScripts: [GREETER],
          integrities: { [`${GREETER}@1.2.0`]: integrity, 'greeting-word@1.4.0': hashOf('greeting-word', '1.4.0') },
        },
      },
    });
    expect(npm.registry.seen).not.toContain('never-fetched');
    await untilTrue(() => npm.runtime.workers().length === 0);
  });

  it('is the same release as often as it is built, and the newest version without one', async () => {
    const [first, second] = await Promise.all([npm.build({ package: GREETER }), npm.build({ package: GREETER })]);
    expect(first.digest).toBe(second.digest);
    expect(await manifestOf({ package: GREETER })).toMatchObject({ bundle: { npm: { version: '2.0.0' } } });
  });

  it('leaves nothing when its archive does not have the hash that the registry names', async () => {
    expect(await npm.problemsOf({ package: 'tampered' })).toEqual(problem('/package', 'does not have the hash'));
    await untilTrue(() => npm.runtime.workers().length === 0);
  });
});

describe('a server.json', () => {
  const entry = { registryType: 'npm', identifier: GREETER, version: '1.2.0', transport: { type: 'stdio' } };
  const serverJson = (extra: object, more: object = {}) => ({
    serverJson: { name: 'example.com/greeter', title: 'Greeter', packages: [{ ...entry, ...extra }], ...more },
  });
  const sha256 = (version: string): string =>
    createHash('sha256').update(npm.registry.archiveOf(GREETER, version)).digest('hex');

  it('starts the server with what it fixes and what the tenant gives, in the places that it declares', async () => {
    const source = {
      ...serverJson({
        fileSha256: sha256('1.2.0'),
        runtimeHint: 'npx',
        runtimeArguments: [{ type: 'positional', value: '-y' }],
        packageArguments: [
          { type: 'positional', valueHint: 'folder', format: 'filepath', isRepeated: true, isRequired: true },
          { type: 'named', name: '--file', value: '{home}/a.json', variables: { home: { format: 'filepath' } } },
          { type: 'named', name: '--absent' },
        ],
        environmentVariables: [
          { name: 'GREETING', default: 'hi' },
          { name: 'TOKEN', isSecret: true, isRequired: true },
        ],
      }),
      config: { folder: { folder: 'home' }, home: { folder: 'home' }, TOKEN: { secret: 'token' } },
    };
    expect(await manifestOf(source)).toMatchObject({
      server: { title: 'Greeter' },
      bundle: {
        args: [[{ folder: 'home' }], ['--file'], [{ folder: 'home' }, '/a.json']],
        env: { GREETING: ['hi'], TOKEN: [{ secret: 'token' }] },
        secrets: ['token'],
      },
    });
  });
});

it('a registry that does not answer is no fault of the source', async () => {
  const down = await startRuntime({ WHARF_WARM_WORKERS: '0', WHARF_REGISTRY_URL: 'http://127.0.0.1:9' });
  const other = await RuntimeClient.connect({
    sockets: [down.socket],
    intakeKey: INTAKE_KEY,
    supplier: supplierOf(),
  });
  const source = Buffer.from(JSON.stringify({ kind: 'npm', package: GREETER }));
  const request = { tenantId: randomUUID(), serverSlug: 'x', source, deadlineMs: Date.now() + 50_000 };
  await expect(other.build({ ...request, thirdParty: 'npm' })).rejects.toMatchObject({ code: 'unavailable' });
  await other.close();
  await down.stop();
});
