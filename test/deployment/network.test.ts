import { isIP } from 'node:net';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { build, provideKubectl, type KubeObject, type Overlay } from './kustomize.fixture.js';
import { isAllowed, pod, type Party } from './network.fixture.js';

const POSTGRESQL = '10.1.2.3';
const REDIS = '10.1.2.4';
const PUBLIC = '203.0.113.7';
/** Where clouds hand out keys and settings to whoever is inside, each with its ports. */
const CLOUD_ADDRESSES = [
  '169.254.169.254', // AWS, Google, Azure, Oracle, DigitalOcean, OpenStack
  '169.254.169.253', // AWS's own names
  '169.254.170.2', // tasks of ECS
  '169.254.170.23', // EKS Pod Identity
  '100.100.100.200', // Alibaba
  '168.63.129.16', // Azure's platform host
  '192.0.0.192', // Oracle, formerly
  'fd00:ec2::254', // AWS
  'fd00:ec2::23', // EKS Pod Identity
  'fd20:ce::254', // Google
  'fe80::a9fe:a9fe', // OpenStack
  '64:ff9b::a9fe:a9fe', // the first, through a translator of IPv6
];
const CLOUD_PORTS = [53, 80, 443, 8080, 8200, 32526];
const NODES_NAME_CACHE = '169.254.20.10';
const SERVICES = [
  'wharf-gateway',
  'wharf-auth-server',
  'wharf-control-plane',
  'wharf-background',
  'wharf-worker-runtime',
];
const other = (namespace: string): Party => ({ namespace, labels: {} });
const worker: Party = { namespace: 'wharf-workers', labels: { 'app.kubernetes.io/name': 'wharf-worker' } };

type Connection = readonly [from: string, to: string, port: number];

/** What our processes open, by ARCHITECTURE.md and the settings of the overlays. Without one of these the product is broken. */
const NEEDED: readonly Connection[] = [
  ...SERVICES.flatMap((name): Connection[] => [
    [name, 'kube-system', 53],
    [name, NODES_NAME_CACHE, 53],
    [name, 'monitoring', 4318],
    ['monitoring', name, 8080],
  ]),
  ...['wharf-gateway', 'wharf-auth-server', 'wharf-control-plane', 'wharf-background'].flatMap((name): Connection[] => [
    [name, POSTGRESQL, 5432],
    [name, REDIS, 6379],
    [name, REDIS, 26379],
  ]),
  ['wharf-migrate', POSTGRESQL, 5432],
  ...['wharf-gateway', 'wharf-auth-server', 'wharf-control-plane'].map((name): Connection => ['ingress', name, 8080]),
  ...['wharf-gateway', 'wharf-control-plane', 'wharf-background'].map((name): Connection => [
    name,
    'wharf-worker-runtime',
    7400,
  ]),
  ...['wharf-gateway', 'wharf-control-plane'].map((name): Connection => [name, 'wharf-auth-server', 8080]),
  ...['wharf-gateway', 'wharf-auth-server', 'wharf-control-plane', 'wharf-background'].map((name): Connection => [
    name,
    PUBLIC,
    443,
  ]),
  ['wharf-background', PUBLIC, 587],
  ['wharf-worker-runtime', PUBLIC, 443],
  ['wharf-worker-runtime', PUBLIC, 8443],
  ['wharf-worker-runtime', '10.0.0.1', 6443],
  ['wharf-workers', 'wharf-worker-runtime', 7443],
];

/** What nobody may open: with one of these a tenant's code, or who broke into one service, gets further than it should. */
const REFUSED: readonly Connection[] = [
  ['wharf-worker-runtime', POSTGRESQL, 5432],
  ['wharf-worker-runtime', REDIS, 6379],
  ['wharf-worker-runtime', '10.9.9.9', 443],
  ['wharf-worker-runtime', 'wharf-control-plane', 8080],
  ['wharf-worker-runtime', 'wharf-gateway', 8080],
  ['wharf-worker-runtime', 'wharf-worker-runtime', 7400],
  ['wharf-auth-server', 'wharf-worker-runtime', 7400],
  ['wharf-migrate', REDIS, 6379],
  ['wharf-migrate', PUBLIC, 80],
  ['ingress', 'wharf-background', 8080],
  ['ingress', 'wharf-worker-runtime', 8080],
  ['ingress', 'wharf-worker-runtime', 7400],
  [PUBLIC, 'wharf-gateway', 8080],
  ['somebody', 'wharf-gateway', 8080],
  ['wharf-workers', PUBLIC, 443],
  ['wharf-workers', 'kube-system', 53],
  ['wharf-workers', 'wharf-gateway', 8080],
  ['wharf-worker-runtime', 'wharf-workers', 8080],
  ...[...SERVICES, 'wharf-migrate', 'wharf-workers'].flatMap((name) =>
    CLOUD_ADDRESSES.flatMap((address) => CLOUD_PORTS.map((port): Connection => [name, address, port])),
  ),
  ...SERVICES.flatMap((name) => ['127.0.0.1', '::1', '::ffff:10.1.2.3'].map((to): Connection => [name, to, 443])),
];

let overlays: ReadonlyMap<Overlay, readonly KubeObject[]>;
beforeAll(() => {
  provideKubectl();
  overlays = new Map(
    (['staging', 'production/blue', 'production/green', 'local'] as const).map((name) => [name, build(name)]),
  );
});

function party(name: string, color: string | undefined): Party {
  if (isIP(name) !== 0) return name;
  if (name === 'wharf-workers') return worker;
  return name.startsWith('wharf-') ? pod(name, color === undefined ? {} : { 'wharf.dev/color': color }) : other(name);
}

const faultsOf = (objects: readonly KubeObject[], color?: string): string[] =>
  [
    ...NEEDED.map((connection) => ({ connection, wanted: true })),
    ...REFUSED.map((connection) => ({ connection, wanted: false })),
  ].flatMap(({ connection: [from, to, port], wanted }) =>
    isAllowed(objects, party(from, color), party(to, color), port) === wanted
      ? []
      : [`${from} → ${to}:${port} is ${wanted ? 'refused' : 'let through'}`],
  );

describe.each([
  ['staging', undefined],
  ['production/blue', 'blue'],
  ['production/green', 'green'],
] as const)('the network of %s', (overlay, color) => {
  test('lets through every connection that our processes open, and none that somebody could misuse', () => {
    expect(faultsOf(overlays.get(overlay) ?? [], color)).toEqual([]);
  });
});

test('halves reach each other’s runtimes, whose sessions they go on with, and nothing else of each other', () => {
  const halves = [...(overlays.get('production/blue') ?? []), ...(overlays.get('production/green') ?? [])];
  const both = [...halves, ...build('production/shared')];
  const half = (name: string, color: string): Party => pod(name, { 'wharf.dev/color': color });
  for (const [own, theirs] of [
    ['blue', 'green'],
    ['green', 'blue'],
  ] as const)
    for (const from of SERVICES)
      for (const to of SERVICES)
        for (const port of [7400, 7443, 8080]) {
          const isAsked = !['wharf-worker-runtime', 'wharf-auth-server'].includes(from);
          const wanted = isAsked && to === 'wharf-worker-runtime' && port === 7400;
          expect([from, to, port, isAllowed(both, half(from, own), half(to, theirs), port)]).toEqual([
            from,
            to,
            port,
            wanted,
          ]);
        }
  expect([faultsOf(both, 'blue'), faultsOf(both, 'green')]).toEqual([[], []]);
});

test('each half gives what is new to its own runtimes, and knows the other half’s by the name that they have', () => {
  for (const [own, theirs] of [
    ['blue', 'green'],
    ['green', 'blue'],
  ] as const) {
    const settings = overlays
      .get(`production/${own}`)
      ?.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('wharf-settings'));
    const places = [settings?.data?.['WHARF_RUNTIME_SOCKETS'], settings?.data?.['WHARF_RUNTIME_SOCKETS_HOLDING']];
    const services = [own, theirs].map((color) =>
      overlays
        .get(`production/${color}`)
        ?.find(({ kind, metadata }) => kind === 'Service' && metadata.name.startsWith('wharf-worker-runtime')),
    );
    expect(places).toEqual(services.map((service) => `tls://${service?.metadata.name}:7400`));
  }
});

test('what nobody has thought of is let neither in nor out, in either namespace', () => {
  for (const objects of [build('production/shared'), overlays.get('staging') ?? [], overlays.get('local') ?? []])
    for (const own of ['wharf', 'wharf-workers']) {
      const stranger: Party = { namespace: own, labels: { 'app.kubernetes.io/name': 'stranger' } };
      for (const to of [PUBLIC, POSTGRESQL, other('monitoring'), pod('wharf-gateway')])
        expect(isAllowed(objects, stranger, to, 443)).toBe(false);
      expect(isAllowed(objects, other('ingress'), stranger, 8080)).toBe(false);
      expect(isAllowed(objects, pod('wharf-gateway'), stranger, 8080)).toBe(false);
    }
});

test('a backup reaches its database, and no address at which a cloud keeps keys', () => {
  const shared = build('production/shared');
  for (const objects of [shared, overlays.get('staging') ?? []]) {
    expect(isAllowed(objects, pod('wharf-backup'), POSTGRESQL, 5432)).toBe(true);
    for (const address of CLOUD_ADDRESSES)
      for (const port of CLOUD_PORTS) expect(isAllowed(objects, pod('wharf-backup'), address, port)).toBe(false);
  }
});

test('Vault at a private address is reached by who has the master key, and by nobody else', () => {
  const staging = overlays.get('staging') ?? [];
  for (const name of ['wharf-gateway', 'wharf-auth-server', 'wharf-background', 'wharf-migrate', 'wharf-backup'])
    expect(isAllowed(staging, pod(name), '10.1.2.5', 8200)).toBe(true);
  expect(isAllowed(staging, pod('wharf-worker-runtime'), '10.1.2.5', 8200)).toBe(false);
});

test('one’s own machine has a way in, to what is public and nothing else', () => {
  const local = overlays.get('local') ?? [];
  const front: Party = { namespace: 'ingress', labels: { 'app.kubernetes.io/name': 'front' } };
  for (const name of ['wharf-gateway', 'wharf-auth-server', 'wharf-control-plane'])
    expect(isAllowed(local, front, pod(name), 8080)).toBe(true);
  for (const name of ['wharf-background', 'wharf-worker-runtime'])
    expect(isAllowed(local, front, pod(name), 8080)).toBe(false);
  expect(isAllowed(local, front, pod('postgres'), 5432)).toBe(false);
  expect(isAllowed(local, front, PUBLIC, 443)).toBe(false);
});

test('stores that are pods are reached by who needs them alone', () => {
  const local = overlays.get('local') ?? [];
  for (const name of ['wharf-gateway', 'wharf-migrate', 'wharf-backup'])
    expect(isAllowed(local, pod(name), pod('postgres'), 5432)).toBe(true);
  expect(isAllowed(local, pod('wharf-gateway'), pod('redis'), 6379)).toBe(true);
  expect(isAllowed(local, pod('wharf-worker-runtime'), pod('postgres'), 5432)).toBe(false);
  expect(isAllowed(local, pod('wharf-worker-runtime'), pod('redis'), 6379)).toBe(false);
});

test.each([
  ['all', 'somebody → wharf-gateway:8080', 'is gone', undefined],
  ['wharf-names', 'wharf-gateway → kube-system:53 is refused', 'is gone', []],
  ['wharf-postgresql', 'wharf-gateway → 10.1.2.3:5432 is refused', 'is gone', []],
  ['wharf-worker-runtime', 'wharf-worker-runtime → 10.1.2.3:5432 is let through', 'lets everything out', [{}]],
] as const)('a policy %s that %s is noticed: %s', (name, fault, _what, egress) => {
  const staging = overlays.get('staging') ?? [];
  const ours = (object: KubeObject): boolean => object.kind === 'NetworkPolicy' && object.metadata.name === name;
  const changed =
    name === 'all'
      ? staging.filter((object) => object.kind !== 'NetworkPolicy')
      : staging.map((object) => (ours(object) ? { ...object, spec: { ...object.spec, egress } } : object));
  expect(faultsOf(changed).join('\n')).toContain(fault);
});
