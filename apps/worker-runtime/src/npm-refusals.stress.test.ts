import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { manifestSchema, RuntimeClient } from '#libs/protocol';
import { GREETER } from '#libs/testing';
import { NpmBuilds } from './npm-builds.fixture.js';
import { FAULTY_PACKAGES, PACKAGES } from './npm-packages.fixture.js';
import { INTAKE_KEY, startRuntime, supplierOf } from './worker-runtime.fixture.js';

let npm: NpmBuilds;
beforeAll(async () => {
  npm = await NpmBuilds.start([...PACKAGES, ...FAULTY_PACKAGES()]);
});
afterAll(() => npm.stop());

const problem = (pointer: string, message: string) => [{ pointer, message: expect.stringContaining(message) }];

describe('what is not installed', () => {
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
    ['bomb', 'cannot be read (TAR_ABORT)'],
    ['too-large', 'more than a worker holds'],
    ['too-many-files', 'and a worker holds at most 5000'],
    ['silent', 'did not start and list its tools'],
  ])('%s is refused: %s', async (name, message) => {
    expect(await npm.problemsOf({ package: name })).toEqual(problem('/package', message));
  });

  it.each([
    ['native', 'native', 'must be compiled'],
    ['native-install', 'native-install', 'must be compiled'],
    ['needs-native', 'native', 'must be compiled'],
    ['unhashed', 'unhashed', 'names no SHA-256'],
  ])('%s is refused where %s lies: %s', async (name, at, message) => {
    expect(await npm.problemsOf({ package: name })).toEqual(problem(`/package/node_modules/${at}`, message));
  });
});

it('the server of a package finds no way to the registry, or to anybody, when it is started to list its tools', async () => {
  const built = await npm.build({ package: 'nosy' });
  const manifest = manifestSchema.parse(JSON.parse(built.manifest.toString()));
  expect(manifest.tools.map(({ description }) => description)).toEqual(['listening: 0, proxies: 0']);
});

it('plain processes install packages too, where an operator lets code of others run in them', async () => {
  const plain = await startRuntime({
    WHARF_WARM_WORKERS: '0',
    WHARF_REGISTRY_URL: npm.registry.url,
    WHARF_WORKER_DRIVER: 'process',
    WHARF_ALLOW_UNSANDBOXED: 'true',
  });
  const own = await RuntimeClient.connect({
    sockets: [plain.socket],
    intakeKey: INTAKE_KEY,
    supplier: supplierOf(),
  });
  const sandboxed = await npm.build({ package: GREETER });
  const source = Buffer.from(JSON.stringify({ kind: 'npm', package: GREETER }));
  const request = { tenantId: randomUUID(), serverSlug: 'greeter', source, deadlineMs: Date.now() + 50_000 };
  expect((await own.build({ ...request, thirdParty: 'npm' })).digest).toBe(sandboxed.digest);
  await own.close();
  await plain.stop();
});
