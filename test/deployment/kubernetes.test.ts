import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { problemsOfEnvoyObject } from './envoy-schema.fixture.js';
import { build, OVERLAYS, podsOf, provideKubectl, type KubeObject, type Overlay } from './kustomize.fixture.js';

const GROUPS: Readonly<Record<string, string>> = {
  'gateway.networking.k8s.io/v1': '@kubernetes-models/gateway-api',
  'cert-manager.io/v1': '@kubernetes-models/cert-manager',
  'external-secrets.io/v1': '@kubernetes-models/external-secrets',
};

interface Model {
  validate(): void;
}

let objects: ReadonlyMap<Overlay, readonly KubeObject[]>;
const all = (): readonly KubeObject[] => [...objects.values()].flat();
const ofKind = (kind: string): readonly KubeObject[] => all().filter((object) => object.kind === kind);
const named = (objects: readonly KubeObject[], kind: string, name: string): KubeObject | undefined =>
  objects.find((object) => object.kind === kind && object.metadata.name === name);

beforeAll(() => {
  provideKubectl();
  objects = new Map(OVERLAYS.map((overlay) => [overlay, build(overlay)]));
});

/** Checks an object against the schema of its kind. @throws Error naming what is wrong */
async function validate(object: KubeObject): Promise<void> {
  const { apiVersion, kind } = object;
  if (apiVersion.startsWith('gateway.envoyproxy.io/')) {
    const problems = problemsOfEnvoyObject(object);
    if (problems.length > 0) throw new Error(problems.join('; '));
    return;
  }
  const library = GROUPS[apiVersion] ?? 'kubernetes-models';
  const exported: unknown = await import(`${library}/${apiVersion}/${kind}`);
  const Kind = (exported as Record<string, new (data: unknown) => Model>)[kind]; // the library's own convention
  if (Kind === undefined) throw new Error(`${apiVersion} has no ${kind}`);
  new Kind(object).validate();
}

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  test('holds objects of their kinds’ shapes, each once', async () => {
    const built = objects.get(overlay) ?? [];
    for (const object of built) await validate(object);
    const names = built.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(5);
  });
});

test('an object of a wrong shape is noticed', async () => {
  const wrong = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' }, spec: { replicas: 'two' } };
  await expect(validate(wrong)).rejects.toThrow();
});

test.each([
  ['a field that Envoy Gateway does not know', { circuitBreakers: { maxConnections: 1 } }, /circuitBreakers/],
  ['a bound that is no number', { circuitBreaker: { maxConnections: '50000' } }, /maxConnections must be integer/],
  ['a hash without its header', { loadBalancer: { type: 'ConsistentHash' } }, /consistentHash/],
  ['a time without a unit', { timeout: { http: { requestTimeout: '90' } } }, /requestTimeout/],
  ['nothing that it is for', { targetRefs: [] }, /targetRefs/],
])('a policy of Envoy Gateway with %s is noticed', async (_what, part, why) => {
  const policies = ofKind('BackendTrafficPolicy');
  expect(policies.length).toBeGreaterThan(0);
  for (const policy of policies)
    await expect(validate({ ...policy, spec: { ...policy.spec, ...part } })).rejects.toThrow(why);
});

describe('every service', () => {
  const workloads = () =>
    all().filter(({ kind, metadata }) => /Deployment|StatefulSet/.test(kind) && metadata.name.startsWith('wharf-'));

  test('is probed, stands in several places, and may not be taken away as a whole', () => {
    expect(workloads()).toHaveLength(20);
    for (const workload of workloads()) {
      const pod = podsOf(workload);
      expect(pod?.spec.containers[0]).toMatchObject({
        startupProbe: { httpGet: { path: '/healthz' } },
        livenessProbe: { httpGet: { path: '/healthz' } },
        readinessProbe: { httpGet: { path: '/readyz' } },
      });
      expect(pod?.spec).toMatchObject({ topologySpreadConstraints: [{ maxSkew: 1 }, { maxSkew: 1 }] });
    }
    expect(ofKind('PodDisruptionBudget')).toHaveLength(20);
  });

  test('may wait for its schema without its rollout counting as failed', () => {
    const waits = ofKind('ConfigMap')
      .map((map) => (map as { data?: Record<string, string> }).data?.['WHARF_SCHEMA_WAIT_SECONDS'])
      .filter((seconds) => seconds !== undefined)
      .map(Number);
    expect(waits.length).toBeGreaterThan(0);
    const deployments = workloads().filter(({ kind }) => kind === 'Deployment');
    expect(deployments.length).toBeGreaterThan(0);
    for (const { spec } of deployments) expect(spec?.['progressDeadlineSeconds']).toBeGreaterThan(Math.max(...waits));
  });

  test('grows above 70 % of its processors and shrinks below 30 %, from two on outside one’s own machine', () => {
    for (const overlay of ['staging', 'production/blue', 'production/green'] as const) {
      const scalers = (objects.get(overlay) ?? []).filter(({ kind }) => kind === 'HorizontalPodAutoscaler');
      expect(scalers).toHaveLength(5);
      for (const { spec } of scalers) {
        expect(spec).toMatchObject({ minReplicas: 2, behavior: { scaleDown: { tolerance: '0.57' } } });
        expect(spec?.['metrics']).toContainEqual({
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } },
        });
      }
    }
  });

  test('is as many as its autoscaler says: no overlay takes copies back with every `apply`', () => {
    for (const workload of workloads())
      expect([workload.metadata.name, workload.spec?.['replicas']]).toEqual([workload.metadata.name, undefined]);
  });

  test('grows by figures that it shows, that Prometheus labels with their pod, and that the adapter hands on', () => {
    const scalers = ofKind('HorizontalPodAutoscaler').map(({ spec }) => JSON.stringify(spec?.['metrics']));
    const asked = new Set(
      scalers.flatMap((text) => [...text.matchAll(/"metric":\{"name":"(\w+)"/g)].map(([, name]) => name)),
    );
    expect(asked).toEqual(new Set(['wharf_calls_in_flight', 'wharf_sessions_active', 'wharf_workers']));
    const held = (name: string, file: string): string =>
      named(objects.get('staging') ?? [], 'ConfigMap', name)?.data?.[file] ?? '';
    const { rules } = parse(held('wharf-adapter', 'adapter.yaml')) as { rules: Array<{ seriesQuery: string }> }; // its own format
    const documented = readFileSync('docs/metrics.md', 'utf8');
    for (const name of asked) {
      // docs/metrics.md is compared with what the services show by a test of its own.
      expect(documented).toMatch(new RegExp(`^\\| \`${name}\``, 'm'));
      expect(rules.map(({ seriesQuery }) => seriesQuery).join()).toMatch(new RegExp(`\\b${name}\\b`));
    }
    for (const label of ['namespace', 'pod'])
      expect(held('wharf-prometheus', 'prometheus.yaml')).toContain(`target_label: ${label} }`);
  });

  test('a runtime class that its workers are told of is there', () => {
    const classes = [
      ['staging', 'staging', 'gvisor', 'runsc'],
      ['production/blue', 'production/shared', 'gvisor', 'runsc'],
      ['production/green', 'production/shared', 'gvisor', 'runsc'],
      ['local', 'local', 'runc', 'runc'],
    ] as const;
    for (const [overlay, holder, name, handler] of classes) {
      const runtimes = (objects.get(overlay) ?? []).flatMap((object) => podsOf(object)?.spec.containers ?? []);
      const told = runtimes.flatMap(({ env = [] }) => env.filter((each) => each.name === 'WHARF_POD_RUNTIME_CLASS'));
      expect(told.map(({ value }) => value)).toEqual([name]);
      expect(named(objects.get(holder) ?? [], 'RuntimeClass', name)).toMatchObject({ handler });
    }
  });

  test('is given the keys that it needs and no other: a worker-runtime has neither the master key nor a store', () => {
    const keysOf = (name: string): readonly string[] =>
      (
        podsOf(
          named(objects.get('staging') ?? [], 'Deployment', name) ?? { apiVersion: '', kind: '', metadata: { name } },
        )?.spec.containers[0]?.env ?? []
      ).flatMap(({ name: key, valueFrom }) => (valueFrom !== undefined && 'secretKeyRef' in valueFrom ? [key] : []));
    expect(keysOf('wharf-worker-runtime')).toEqual(['WHARF_INTAKE_KEY', 'WHARF_METRICS_KEY']);
    expect(keysOf('wharf-auth-server')).not.toContain('WHARF_INTAKE_KEY');
    expect(keysOf('wharf-background')).toContain('WHARF_MASTER_KEY');
  });

  test('starts a program that the build makes', () => {
    const programs = workloads().map((workload) => podsOf(workload)?.spec.containers[0]?.command?.[1]);
    expect(new Set(programs)).toEqual(
      new Set(
        ['auth-server', 'background', 'control-plane', 'gateway', 'worker-runtime'].map(
          (service) => `dist/apps/${service}/src/main.js`,
        ),
      ),
    );
  });
});

describe('the network', () => {
  test('has a policy for every pod of ours', () => {
    for (const overlay of ['local', 'staging', 'production/blue'] as const) {
      const built = objects.get(overlay) ?? [];
      const guarded = built
        .filter(({ kind }) => kind === 'NetworkPolicy')
        .map(({ spec }) => (spec as { podSelector: { matchLabels?: Record<string, string> } }).podSelector.matchLabels)
        .map((labels) => labels?.['app.kubernetes.io/name']);
      for (const object of built)
        if (podsOf(object) !== undefined)
          expect(guarded).toContain(podsOf(object)?.metadata.labels['app.kubernetes.io/name']);
    }
  });
});
