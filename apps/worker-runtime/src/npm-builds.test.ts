import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { manifestSchema, RuntimeClient, sha256Digest, type BundleManifest } from '#libs/protocol';
import { startNpmRegistry, type NpmRegistry } from '#libs/testing';
import { GREETER, PACKAGES } from './npm-packages.fixture.js';
import { INTAKE_KEY, startRuntime, supplierOf, untilTrue, type RuntimeUnderTest } from './worker-runtime.fixture.js';

let registry: NpmRegistry;
let runtime: RuntimeUnderTest;
let client: RuntimeClient;

beforeAll(async () => {
  registry = await startNpmRegistry(PACKAGES);
  runtime = await startRuntime({ WHARF_WARM_WORKERS: '0', WHARF_REGISTRY_URL: registry.url });
  client = await RuntimeClient.connect({ sockets: [runtime.socket], intakeKey: INTAKE_KEY, supplier: supplierOf() });
});
afterAll(async () => {
  await client.close();
  await runtime.stop();
  await registry.stop();
});

const build = (source: object) =>
  client.build({
    tenantId: randomUUID(),
    serverSlug: 'greeter',
    source: Buffer.from(JSON.stringify({ kind: 'npm', ...source })),
    deadlineMs: Date.now() + 50_000,
    thirdParty: 'npm',
  });
const problemsOf = (source: object): Promise<unknown> =>
  build(source).then(
    () => 'built',
    (error: { code: string; problems?: unknown }) => error.problems ?? error.code,
  );
const problem = (pointer: string, message: string) => [{ pointer, message: expect.stringContaining(message) }];

async function manifestOf(source: object): Promise<BundleManifest> {
  const manifest = manifestSchema.parse(JSON.parse((await build(source)).manifest.toString()));
  if (manifest.kind !== 'bundle') throw new Error('a package is run as a bundle is');
  return manifest;
}

describe('a package of npm', () => {
  it('is pinned, with all it needs, to exact versions and hashes', async () => {
    const built = await build({ package: GREETER, version: '^1.0.0' });
    const hashOf = (name: string, version: string): string =>
      `sha512-${createHash('sha512').update(registry.archiveOf(name, version)).digest('base64')}`;
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
    expect(registry.seen).not.toContain('never-fetched');
    await untilTrue(() => runtime.workers().length === 0);
  });

  it('is the same release as often as it is built, and the newest version without one', async () => {
    const [first, second] = await Promise.all([build({ package: GREETER }), build({ package: GREETER })]);
    expect(first.digest).toBe(second.digest);
    expect(await manifestOf({ package: GREETER })).toMatchObject({ bundle: { npm: { version: '2.0.0' } } });
  });

  it.each([
    ['no-bin', 'It has no program'],
    ['two-bins', 'It has several programs (one, two)'],
    ['escaping-bin', 'leads out of the package'],
    ['missing-bin', 'is not in the package'],
    ['shell-bin', 'is no Node module'],
    ['only-aix', 'is for another operating system'],
    ['from-elsewhere-0', 'Only packages of the registry are installed'],
    ['from-elsewhere-1', 'Only packages of the registry are installed'],
    ['from-elsewhere-2', 'Only packages of the registry are installed'],
    ['from-elsewhere-3', 'Only packages of the registry are installed'],
    ['never-published', 'The registry has no package "never-published'],
    ['needs-unknown', 'The registry has no package "never-published'],
    ['needs-version', 'The registry has no version "greeting-word@^9.0.0'],
    ['tampered', 'does not have the hash'],
    ['too-many-files', 'more than 5000 entries'],
    ['silent', 'did not start and list its tools'],
  ])('%s is refused: %s', async (name, message) => {
    expect(await problemsOf({ package: name })).toEqual(problem('/package', message));
  });

  it.each([
    ['native', 'native', 'must be compiled'],
    ['native-install', 'native-install', 'must be compiled'],
    ['needs-native', 'native', 'must be compiled'],
    ['unhashed', 'unhashed', 'names no SHA-256'],
  ])('%s is refused where %s lies: %s', async (name, at, message) => {
    expect(await problemsOf({ package: name })).toEqual(problem(`/package/node_modules/${at}`, message));
  });

  it('is refused when it is larger than a worker may hold', async () => {
    expect(await problemsOf({ package: 'too-large' })).toEqual(problem('/package', 'is too large'));
  });

  it.each([
    [{ package: 'git+https://example.com/a.git' }, '/package', 'no name of a package'],
    [{ package: '../a' }, '/package', 'no name of a package'],
    [{ package: 'a', version: 'npm:other@1' }, '/version', 'no version'],
    [{ package: 'a', version: 'https://example.com/a.tgz' }, '/version', 'no version'],
    [{}, '/package', 'either "package" or "serverJson"'],
    [{ package: GREETER, config: { A: 'b' } }, '/config/A', 'Only what a server.json declares'],
  ])('nothing is fetched for %j', async (source, pointer, message) => {
    const before = registry.seen.length;
    expect(await problemsOf(source)).toEqual(problem(pointer, message));
    expect(registry.seen.length).toBe(before);
  });
});

describe('a server.json', () => {
  const entry = { registryType: 'npm', identifier: GREETER, version: '1.2.0', transport: { type: 'stdio' } };
  const serverJson = (extra: object, more: object = {}) => ({
    serverJson: { name: 'example.com/greeter', title: 'Greeter', packages: [{ ...entry, ...extra }], ...more },
  });
  const PLACE = '/serverJson/packages/0';
  const sha256 = (version: string): string =>
    createHash('sha256').update(registry.archiveOf(GREETER, version)).digest('hex');

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

  it('may have the names of before', async () => {
    const { registryType: registry_type, ...rest } = entry;
    const packages = [{ ...rest, registry_type, environment_variables: [{ name: 'GREETING', is_required: true }] }];
    const source = { serverJson: { packages }, config: { GREETING: 'hey' } };
    expect(await manifestOf(source)).toMatchObject({ bundle: { env: { GREETING: ['hey'] } } });
  });

  it.each([
    [{ version: '^1.0.0' }, '/version', 'one exact version'],
    [{ registryBaseUrl: 'https://other.example.com' }, '/registryBaseUrl', 'not installed from this registry'],
    [{ transport: { type: 'streamable-http' } }, '/transport/type', 'over "stdio"'],
    [{ runtimeHint: '/bin/sh' }, '/runtimeHint', 'never by another program'],
    [{ identifier: 'https://example.com/a.tgz' }, '/identifier', 'no name of a package'],
    [{ runtimeArguments: [{ type: 'named', name: '--package', value: 'other' }] }, '/runtimeArguments/0', 'another program'],
    [{ runtimeArguments: [{ type: 'named', name: '--import=data:x' }] }, '/runtimeArguments/0', 'another program'],
    [{ environmentVariables: [{ name: 'NODE_OPTIONS', value: '-r x' }] }, '/environmentVariables/0', 'cannot set this'],
    [{ environmentVariables: [{ name: 'A', isRequired: true }] }, '/environmentVariables/0', 'Give "A" in "config"'],
    [{ fileSha256: 'ab'.repeat(32) }, '', 'does not have the "fileSha256"'],
  ])('%j is refused at %s', async (extra, pointer, message) => {
    expect(await problemsOf(serverJson(extra))).toEqual(problem(`${PLACE}${pointer}`, message));
  });

  it.each([
    [{ A: 'b' }, '/config/A', 'asks for no such value'],
    [{ TOKEN: 'in plain' }, '/config/TOKEN', 'This is sensitive'],
    [{ COUNT: 'many' }, '/config/COUNT', 'This is a number'],
    [{ LEVEL: 'loud' }, '/config/LEVEL', 'This is one of: low, high'],
    [{ LEVEL: { folder: 'home' } }, '/config/LEVEL', 'This is no path'],
  ])('refuses the value %j', async (config, pointer, message) => {
    const environmentVariables = [
      { name: 'TOKEN', isSecret: true },
      { name: 'COUNT', format: 'number' },
      { name: 'LEVEL', choices: ['low', 'high'] },
    ];
    const source = { ...serverJson({ environmentVariables }), config };
    expect(await problemsOf(source)).toEqual(problem(pointer, message));
  });

  it('must be the one of its package, and name one package of npm', async () => {
    expect(await problemsOf(serverJson({}, { name: 'example.com/other' }))).toEqual(
      problem(`${PLACE}/identifier`, 'the server.json of another'),
    );
    const packages = [{ registryType: 'pypi', identifier: 'a', version: '1.0.0' }];
    expect(await problemsOf({ serverJson: { packages } })).toEqual(problem('/serverJson/packages', 'this has 0'));
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
