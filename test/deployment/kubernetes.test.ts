import { beforeAll, describe, expect, test } from '@jest/globals';
import { build, OVERLAYS, podsOf, provideKubectl, type KubeObject, type Overlay } from './kustomize.fixture.js';

const GROUPS: Readonly<Record<string, string>> = {
  'gateway.networking.k8s.io/v1': '@kubernetes-models/gateway-api',
  'cert-manager.io/v1': '@kubernetes-models/cert-manager',
  'external-secrets.io/v1': '@kubernetes-models/external-secrets',
};
/** Kinds that nobody publishes schemas of as a package; what we use of them is looked at below. */
const WITHOUT_SCHEMA = new Set(['gateway.envoyproxy.io/v1alpha1']);

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
  if (WITHOUT_SCHEMA.has(apiVersion)) return;
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

describe('every pod', () => {
  const pods = () => all().flatMap((object) => podsOf(object) ?? []);

  test('runs as a number that is not root, with no right and no file of its image that it could change', () => {
    expect(pods().length).toBeGreaterThan(20);
    for (const { spec } of pods()) {
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(spec.securityContext?.runAsUser).toBeGreaterThan(0);
      for (const { securityContext } of spec.containers)
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
    }
  });

  test('has limits, and an image whose version is written down', () => {
    for (const { image, resources } of pods().flatMap(({ spec }) => spec.containers)) {
      expect(resources).toMatchObject({
        limits: { memory: expect.any(String), cpu: expect.anything() },
        requests: { memory: expect.any(String), cpu: expect.anything() },
      });
      expect(image).toMatch(/@sha256:[0-9a-f]{64}$|:(?!latest)[\w.-]+$/);
    }
  });

  test('holds no token of the cluster’s, but for what makes workers', () => {
    for (const { metadata, spec } of pods()) {
      const makesWorkers = metadata.labels['app.kubernetes.io/name'] === 'wharf-worker-runtime';
      expect(spec.automountServiceAccountToken).toBe(makesWorkers);
    }
  });
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
  const policy = (name: string): KubeObject | undefined => named(objects.get('staging') ?? [], 'NetworkPolicy', name);

  test('lets nothing through by default, in our namespace and in that of workers', () => {
    expect(policy('wharf-nothing')?.spec).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
    expect(policy('workers')).toMatchObject({
      metadata: { namespace: 'wharf-workers' },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    });
  });

  test('keeps worker-runtimes away from the stores, and lets only our services ask them to work', () => {
    const { egress, ingress } = policy('wharf-worker-runtime')?.spec ?? {};
    expect(JSON.stringify(egress)).not.toMatch(/5432|6379/);
    expect(JSON.stringify(egress)).toContain('"except":["10.0.0.0/8"');
    const callers = (ingress as Array<{ ports: Array<{ port: number }>; from: unknown }>).find(({ ports }) =>
      ports.some(({ port }) => port === 7400),
    );
    expect(JSON.stringify(callers?.from).match(/wharf-[a-z-]+/g)).toEqual([
      'wharf-gateway',
      'wharf-control-plane',
      'wharf-background',
    ]);
  });

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

describe('production', () => {
  test('has two halves that share no pod, and one switch between them', () => {
    const names = (overlay: Overlay): readonly string[] =>
      (objects.get(overlay) ?? []).filter((object) => podsOf(object)).map(({ metadata }) => metadata.name);
    expect(names('production/blue').every((name) => name.endsWith('-blue'))).toBe(true);
    expect(names('production/green').every((name) => name.endsWith('-green'))).toBe(true);
    for (const { spec } of (objects.get('production/shared') ?? []).filter(({ kind }) => kind === 'HTTPRoute')) {
      const { rules } = spec as { rules: Array<{ backendRefs: Array<{ name: string; weight: number }> }> };
      for (const { backendRefs } of rules) {
        expect(backendRefs.map(({ name }) => name.replace(/.*-/, ''))).toEqual(['blue', 'green']);
        expect(backendRefs.reduce((sum, { weight }) => sum + weight, 0)).toBe(1);
        for (const { name } of backendRefs)
          expect(
            named(
              [...(objects.get('production/blue') ?? []), ...(objects.get('production/green') ?? [])],
              'Service',
              name,
            ),
          ).toBeDefined();
      }
    }
  });

  test('keeps its keys out of the repository', () => {
    for (const overlay of ['staging', 'production/blue', 'production/green', 'production/shared'] as const)
      expect((objects.get(overlay) ?? []).filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });

  test('answers at the hosts of its settings, over TLS, and holds a session at its gateway', () => {
    const staging = objects.get('staging') ?? [];
    expect(named(staging, 'Certificate', 'wharf')?.spec?.['dnsNames']).toEqual([
      'staging.wharf.example.com',
      '*.mcp.staging.wharf.example.com',
    ]);
    expect(named(staging, 'HTTPRoute', 'wharf-tenant-hosts')?.spec?.['hostnames']).toEqual([
      '*.mcp.staging.wharf.example.com',
    ]);
    expect(named(staging, 'BackendTrafficPolicy', 'wharf-sessions')?.spec).toMatchObject({
      loadBalancer: { type: 'ConsistentHash', consistentHash: { type: 'Header', header: { name: 'Mcp-Session-Id' } } },
    });
  });
});
