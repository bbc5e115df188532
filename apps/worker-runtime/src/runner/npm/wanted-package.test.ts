import { describe, expect, it } from '@jest/globals';
import { releaseSourceSchema } from '#libs/protocol';
import { Problems } from '../build-checks/problems.js';
import { readWanted } from './wanted-package.js';

const PLACE = '/serverJson/packages/0';
const entry = { registryType: 'npm', identifier: '@test/greeter', version: '1.2.0', transport: { type: 'stdio' } };
const serverJson = (extra: object) => ({
  serverJson: { name: 'example.com/greeter', packages: [{ ...entry, ...extra }] },
});

function read(source: object) {
  const parsed = releaseSourceSchema.parse({ kind: 'npm', ...source });
  if (parsed.kind !== 'npm') throw new Error('a source of this kind');
  const problems = new Problems();
  const wanted = readWanted(problems, parsed, 'https://registry.example.com');
  return { wanted, first: problems.first };
}

describe('a source', () => {
  it.each([
    [{ package: 'git+https://example.com/a.git' }, '/package', 'no name of a package'],
    [{ package: '../a' }, '/package', 'no name of a package'],
    [{ package: '/bin/sh' }, '/package', 'no name of a package'],
    [{ package: 'a', version: 'npm:other@1' }, '/version', 'no version'],
    [{ package: 'a', version: 'https://example.com/a.tgz' }, '/version', 'no version'],
    [{}, '/package', 'either "package" or "serverJson"'],
    [{ package: 'a', ...serverJson({}) }, '/package', 'either "package" or "serverJson"'],
    [{ version: '1.0.0', ...serverJson({}) }, '/version', 'The server.json names the version'],
    [{ package: 'a', config: { A: 'b' } }, '/config/A', 'Only what a server.json declares'],
    [{ serverJson: { packages: [{ ...entry, registryType: 'pypi' }] } }, '/serverJson/packages', 'this has 0'],
    [{ serverJson: { packages: [entry, entry] } }, '/serverJson/packages', 'this has 2'],
    [{ serverJson: { packages: 'none' } }, '/serverJson/packages', 'expected array'],
  ])('%j is refused at %s', (source, pointer, message) => {
    expect(read(source).first).toEqual({ pointer, message: expect.stringContaining(message) });
  });
});

describe('a server.json', () => {
  it('says what the server is started with, in the places that it declares', () => {
    const source = {
      ...serverJson({
        runtimeHint: 'npx',
        runtimeArguments: [{ type: 'positional', value: '-y' }],
        packageArguments: [
          { type: 'positional', valueHint: 'folder', format: 'filepath', isRepeated: true, isRequired: true },
          { type: 'named', name: '--file', value: '{home}/a{b}.json', variables: { home: { format: 'filepath' } } },
          { type: 'named', name: '--tag', isRepeated: true },
          { type: 'named', name: '--absent' },
        ],
        environmentVariables: [
          { name: 'GREETING', default: 'hi' },
          { name: 'TOKEN', isSecret: true },
        ],
      }),
      config: { folder: { folder: 'home' }, home: { folder: 'home' }, TOKEN: { secret: 'token' }, '--tag': ['a', 'b'] },
    };
    const home = { folder: 'home' };
    expect(read(source)).toEqual({
      first: undefined,
      wanted: expect.objectContaining({
        place: PLACE,
        name: '@test/greeter',
        version: '1.2.0',
        start: {
          args: [[home], ['--file'], [home, '/a', '{b}', '.json'], ['--tag'], ['a'], ['--tag'], ['b']],
          env: { GREETING: ['hi'], TOKEN: [{ secret: 'token' }] },
          secrets: ['token'],
        },
      }),
    });
  });

  it('may have the names of before', () => {
    const { registryType: registry_type, ...rest } = entry;
    const environment_variables = [
      { name: 'is_secret', is_secret: true },
      { name: 'B', value: '{is_secret}', variables: { is_secret: {} } },
    ];
    const packages = [{ ...rest, registry_type, environment_variables }];
    const { wanted } = read({ serverJson: { packages }, config: { is_secret: { secret: 'token' } } });
    expect(wanted?.start.env).toEqual({ is_secret: [{ secret: 'token' }], B: [{ secret: 'token' }] });
  });

  it.each([
    [{ version: '^1.0.0' }, '/version', 'one exact version'],
    [{ version: 'latest' }, '/version', 'one exact version'],
    [{ registryBaseUrl: 'https://other.example.com' }, '/registryBaseUrl', 'not installed from this registry'],
    [{ transport: { type: 'streamable-http' } }, '/transport/type', 'over "stdio"'],
    [{ runtimeHint: '/bin/sh' }, '/runtimeHint', 'never by another program'],
    [{ identifier: 'https://example.com/a.tgz' }, '/identifier', 'no name of a package'],
    [
      { runtimeArguments: [{ type: 'named', name: '--package', value: 'x' }] },
      '/runtimeArguments/0',
      'another program',
    ],
    [{ runtimeArguments: [{ type: 'named', name: '--import=data:x' }] }, '/runtimeArguments/0', 'another program'],
    [{ packageArguments: [{ type: 'shell', value: 'id' }] }, '/packageArguments/0/type', 'Invalid'],
    [{ environmentVariables: [{ name: 'NODE_OPTIONS', value: '-r x' }] }, '/environmentVariables/0', 'cannot set this'],
    [{ environmentVariables: [{ name: 'PATH', value: '/tmp' }] }, '/environmentVariables/0', 'cannot set this'],
    [{ environmentVariables: [{ name: 'A', isRequired: true }] }, '/environmentVariables/0', 'Give "A" in "config"'],
    [{ fileSha256: 'short' }, '/fileSha256', 'Invalid'],
  ])('%j is refused at %s', (extra, pointer, message) => {
    expect(read(serverJson(extra)).first).toEqual({
      pointer: `${PLACE}${pointer}`,
      message: expect.stringContaining(message),
    });
  });

  it('may name the registry that packages come from, or the public one', () => {
    expect(read(serverJson({ registryBaseUrl: 'https://registry.example.com/' })).first).toBeUndefined();
    expect(read(serverJson({ registryBaseUrl: 'https://registry.npmjs.org' })).first).toBeUndefined();
  });

  it.each([
    [{ A: 'b' }, '/config/A', 'asks for no such value'],
    [{ FIXED: 'b' }, '/config/FIXED', 'asks for no such value'],
    [{ TOKEN: 'in plain' }, '/config/TOKEN', 'This is sensitive'],
    [{ COUNT: 'many' }, '/config/COUNT', 'This is a number'],
    [{ LOUD: 'very' }, '/config/LOUD', 'This is true or false'],
    [{ LEVEL: 'loud' }, '/config/LEVEL', 'This is one of: low, high'],
    [{ LEVEL: ['low', 'high'] }, '/config/LEVEL', 'one value, not a list'],
    [{ LEVEL: { folder: 'home' } }, '/config/LEVEL', 'This is no path'],
  ])('takes no value %j', (config, pointer, message) => {
    const environmentVariables = [
      { name: 'TOKEN', isSecret: true },
      { name: 'COUNT', format: 'number' },
      { name: 'LOUD', format: 'boolean' },
      { name: 'LEVEL', choices: ['low', 'high'] },
      { name: 'FIXED', value: 'so' },
    ];
    const source = { ...serverJson({ environmentVariables }), config };
    expect(read(source).first).toEqual({ pointer, message: expect.stringContaining(message) });
  });
});
