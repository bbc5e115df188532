import { beforeAll, expect, test } from '@jest/globals';
import { build, OVERLAYS, podsOf, provideKubectl, type KubeObject } from './kustomize.fixture.js';
import { faultsOfPods } from './rules.fixture.js';

let objects: readonly KubeObject[];
beforeAll(() => {
  provideKubectl();
  objects = OVERLAYS.flatMap((overlay) => build(overlay));
});

test('no pod of ours is root, keeps a right, writes to its image, has no limits or an image of whatever version', () => {
  expect(objects.filter((object) => podsOf(object) !== undefined).length).toBeGreaterThan(20);
  expect(objects.flatMap(faultsOfPods)).toEqual([]);
});

/** The gateway of an overlay with one thing changed in what its pods are. */
function changed(path: readonly string[], value: unknown): KubeObject {
  const gateway = structuredClone(objects.find(({ kind }) => kind === 'StatefulSet'));
  if (gateway === undefined) throw new Error('No overlay has a gateway.');
  let at = podsOf(gateway)?.spec as unknown as Record<string, unknown>; // a copy of JSON
  for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[path.at(-1) ?? ''] = value;
  return gateway;
}

test.each([
  ['root', ['securityContext', 'runAsUser'], 0, /may be root/],
  ['a user that nobody looks at', ['securityContext', 'runAsNonRoot'], false, /may be root/],
  ['every system call', ['securityContext', 'seccompProfile', 'type'], 'Unconfined', /any system call/],
  ['a writable image', ['containers', '0', 'securityContext', 'readOnlyRootFilesystem'], false, /write to its image/],
  ['rights to gain', ['containers', '0', 'securityContext', 'allowPrivilegeEscalation'], true, /gain rights/],
  [
    'a right',
    ['containers', '0', 'securityContext', 'capabilities'],
    { drop: ['ALL'], add: ['NET_ADMIN'] },
    /keeps rights/,
  ],
  ['all rights', ['containers', '0', 'securityContext', 'privileged'], true, /is privileged/],
  ['no limit of memory', ['containers', '0', 'resources', 'limits'], { cpu: '1' }, /no limits of memory/],
  ['no request', ['containers', '0', 'resources', 'requests'], undefined, /no requests of cpu/],
  ['the newest image', ['containers', '0', 'image'], 'registry.example.com/wharf:latest', /not written down/],
  ['an image by tag', ['containers', '0', 'image'], 'registry.example.com/wharf:1.2.3', /not written down/],
  ['its node’s network', ['hostNetwork'], true, /node’s namespaces/],
  ['its node’s files', ['volumes', '0'], { name: 'x', hostPath: { path: '/' } }, /folder of its node’s/],
  ['a token', ['automountServiceAccountToken'], true, /token of the cluster’s/],
])('a pod with %s is noticed', (_what, path, value, fault) => {
  expect(faultsOfPods(changed(path, value)).join('\n')).toMatch(fault);
});
