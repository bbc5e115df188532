import { randomBytes } from 'node:crypto';
import { GREETER_PACKAGES, type PublishedPackage } from '#libs/testing';

const MIB = 1024 * 1024;
const BIN = { bin: { server: 'index.js' } };
const MODULE = { 'index.js': 'process.exit(1);' };

/** A package that is no server, with what is wrong with it. */
const faulty = (
  name: string,
  manifest: object,
  files: Readonly<Record<string, string>> = MODULE,
): PublishedPackage => ({
  name,
  manifest: { ...BIN, ...manifest },
  files,
});

/** A server, and a package whose archive is not what the registry says. */
export const PACKAGES: readonly PublishedPackage[] = [
  ...GREETER_PACKAGES,
  { ...faulty('tampered', {}), dist: { integrity: `sha512-${Buffer.alloc(64, 7).toString('base64')}` } },
];

/** Packages of which none is installed. */
export const FAULTY_PACKAGES = (): readonly PublishedPackage[] => [
  { name: 'no-bin', files: MODULE },
  faulty('two-bins', { bin: { one: 'index.js', two: 'other.js' } }, { ...MODULE, 'other.js': '' }),
  faulty('escaping-bin', { bin: '../../../../../bin/sh' }),
  faulty('missing-bin', { bin: 'gone.js' }),
  faulty('shell-bin', { bin: 'run.sh' }, { 'run.sh': '#!/bin/sh\nid' }),
  faulty('native', {}, { ...MODULE, 'binding.gyp': '{}' }),
  faulty('native-install', { scripts: { install: 'node-gyp rebuild' } }),
  faulty('needs-native', { dependencies: { native: '1.0.0' } }),
  { name: 'other-platform', manifest: { os: ['aix'] } },
  faulty('only-aix', { dependencies: { 'other-platform': '1.0.0' } }),
  ...['git+https://git.example.com/a/b.git', 'github:a/b', 'https://files.example.com/a.tgz', 'file:../a'].map(
    (where, index) => faulty(`from-elsewhere-${index}`, { dependencies: { dependency: where } }),
  ),
  faulty('needs-unknown', { dependencies: { 'never-published': '1.0.0' } }),
  faulty('needs-version', { dependencies: { 'greeting-word': '^9.0.0' } }),
  { ...faulty('unhashed', {}), dist: { integrity: undefined } },
  faulty(
    'too-many-files',
    {},
    {
      ...MODULE,
      ...Object.fromEntries([...Array(5_001).keys()].map((index) => [`f/${index}.js`, ''])),
    },
  ),
  faulty('bomb', {}, { ...MODULE, 'large.txt': '0'.repeat(101 * MIB) }),
  faulty('too-large', {}, { ...MODULE, 'large.txt': noise(101 * MIB) }),
  faulty('silent', {}),
];

/** Text that packs to an eighth. */
function noise(bytes: number): string {
  const block = (): string => randomBytes(512).toString('hex').repeat(8);
  return Array.from({ length: Math.ceil(bytes / block().length) }, block).join('');
}
