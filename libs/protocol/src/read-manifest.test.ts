import { expect, test } from '@jest/globals';
import { canonicalJson } from './canonical-json.js';
import { manifestSchema } from './manifest.js';
import { readManifest } from './read-manifest.js';

const BUILT = {
  version: 1,
  kind: 'http',
  server: { name: 'shop' },
  origins: ['https://api.example.com'],
  credentials: [],
  tools: [
    {
      name: 'look',
      description: 'Looks.',
      inputSchema: { type: 'object', properties: { unknown: { type: 'string' } } },
      http: { method: 'GET', urlTemplate: 'https://api.example.com/look', placements: [] },
    },
  ],
};
const [TOOL] = BUILT.tools;

test('what a newer release of the platform added to manifests is left out, wherever it stands', () => {
  const newer = {
    ...BUILT,
    signature: { by: 'somebody' },
    server: { ...BUILT.server, icon: 'https://example.com/icon.svg' },
    tools: [{ ...TOOL, taskSupport: 'optional', http: { ...TOOL?.http, retries: 3 } }],
  };
  expect(readManifest(canonicalJson(newer))).toEqual(manifestSchema.parse(BUILT));
});

const BUNDLE = {
  ...BUILT,
  kind: 'bundle',
  tools: [],
  bundle: { artefact: `sha256:${'0'.repeat(64)}`, entryPoint: 'a.js', name: 'a', version: '1', era: 'modern' },
};

test('what was added to one of several alternatives is left out too, where no other one could be meant', () => {
  const startedWith = (text: object) =>
    canonicalJson({ ...BUNDLE, bundle: { ...BUNDLE.bundle, args: [['--key=', text]], env: { KEY: [text] } } });
  expect(readManifest(startedWith({ secret: 'key', trimmed: true }))).toEqual(
    readManifest(startedWith({ secret: 'key' })),
  );
  expect(() => readManifest(startedWith({ secret: 'key', folder: 'home' }))).toThrow();
  expect(() => readManifest(startedWith({ file: 'new' }))).toThrow();
});

test('extensions and schemas are kept as they are, for nobody here has to know what is in them', () => {
  const tools = [{ ...TOOL, _meta: { ui: { resourceUri: 'ui://a', prefersBorder: true }, 'example.com/new': 1 } }];
  expect(readManifest(canonicalJson({ ...BUILT, tools })).tools).toMatchObject(tools);
});

test('a manifest of a newer version is refused with what to do, before anything in it is read', () => {
  const newer = canonicalJson({ version: 2, kind: 'something else' });
  expect(() => readManifest(newer)).toThrow(/newer version.*manifest 2.*up to 1.*every service is upgraded/);
});

test('what is wrong is refused as before, also beside what is not known', () => {
  expect(() => readManifest(canonicalJson({ ...BUILT, kind: 'new kind' }))).toThrow();
  expect(() =>
    readManifest(canonicalJson({ ...BUILT, new: true, tools: [{ ...TOOL, name: 'not a name' }] })),
  ).toThrow();
});
