import { expect, it } from '@jest/globals';
import type { BundleManifest, Manifest, ReleaseSource } from '#libs/protocol';
import { manifestOf } from '../../worker-runtime.fixture.js';
import { withToolLimits } from './tool-limits.js';

const LIMITS = { look: { timeoutMs: 5_000, concurrentMax: 2 } };
const npm = (limits: object) => ({ kind: 'npm', package: 'p', limits }) as ReleaseSource; // as it was parsed

const requests: Manifest = manifestOf({ look: 'https://api.example.com/', other: 'https://api.example.com/o' });
const hosted: BundleManifest = {
  version: 1,
  kind: 'bundle',
  server: { name: 'test' },
  origins: [],
  credentials: [],
  bundle: { artefact: `sha256:${'0'.repeat(64)}`, entryPoint: 'x.js', name: 'x', version: '1', era: 'modern' },
  tools: requests.tools.map(({ http: _, ...tool }) => tool),
};

it('gives a tool of a third-party server what its owner allows it, and no other', () => {
  const { tools } = withToolLimits(hosted, npm(LIMITS));
  expect(tools.map(({ name, limits }) => [name, limits])).toEqual([
    ['look', LIMITS.look],
    ['other', undefined],
  ]);
});

it('gives a tool that is one request the time limit of the request', () => {
  const source = { kind: 'openapi', limits: LIMITS } as ReleaseSource; // as it was parsed
  expect(withToolLimits(requests, source).tools).toMatchObject([
    { name: 'look', http: { timeoutMs: 5_000 }, limits: { concurrentMax: 2 } },
    { name: 'other', http: { timeoutMs: 30_000 } },
  ]);
});

it('changes nothing where nothing is named, also for tools that are named like what every object has', () => {
  const odd = { ...hosted, tools: hosted.tools.map((tool) => ({ ...tool, name: 'constructor' })) };
  expect(withToolLimits(odd, npm({}))).toEqual(odd);
});

it('refuses a name that is no tool of the release, and says which may be meant', () => {
  expect(() => withToolLimits(hosted, npm({ loook: {} }))).toThrow(
    expect.objectContaining({
      problems: [{ pointer: '/limits/loook', message: expect.stringContaining('Did you mean "look"?') }],
    }),
  );
});
