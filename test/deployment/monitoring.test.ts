import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { build, podsOf, provideKubectl, type KubeObject, type Overlay } from './kustomize.fixture.js';

const MONITORING = 'k8s/base/monitoring';
const SERVICES = ['gateway', 'auth-server', 'control-plane', 'background', 'worker-runtime'];

interface PrometheusConfig {
  readonly rule_files: readonly string[];
  readonly scrape_configs: ReadonlyArray<{
    readonly authorization: object;
    readonly kubernetes_sd_configs: ReadonlyArray<{ readonly role: string; readonly namespaces: object }>;
    readonly relabel_configs: ReadonlyArray<{ readonly regex?: string; readonly action?: string }>;
  }>;
}

beforeAll(provideKubectl);

describe.each(['local', 'staging', 'production/shared'] as const)('what watches the overlay %s', (overlay) => {
  const held = (name: string): KubeObject | undefined =>
    build(overlay).find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === name);

  test('is the rules and the dashboards of this repository, where Prometheus and Grafana find them', () => {
    expect(held('wharf-rules')).toMatchObject({
      metadata: { namespace: 'monitoring' },
      data: { 'rules.yaml': readFileSync(`${MONITORING}/rules.yaml`, 'utf8') },
    });
    const dashboards = held('wharf-dashboards');
    expect(dashboards?.metadata).toMatchObject({ namespace: 'monitoring', labels: { grafana_dashboard: '1' } });
    for (const [file, text] of Object.entries(dashboards?.data ?? {})) {
      expect(existsSync(`${MONITORING}/dashboards/${file}`)).toBe(true);
      expect(JSON.parse(text)).toMatchObject({ uid: expect.any(String) });
    }
    expect(Object.keys(dashboards?.data ?? {})).toHaveLength(3);
  });

  test('may find our pods, and knows the key that they want', () => {
    const [scrape] = configOf(held('wharf-prometheus')).scrape_configs;
    expect(configOf(held('wharf-prometheus')).rule_files).toEqual(['/etc/prometheus/rules/rules.yaml']);
    expect(scrape).toMatchObject({
      authorization: { credentials_file: expect.stringMatching(/WHARF_METRICS_KEY$/) },
      kubernetes_sd_configs: [{ role: 'pod', namespaces: { names: ['wharf'] } }],
    });
    const right = build(overlay).find(({ kind, metadata }) => kind === 'Role' && metadata.name === 'wharf-discovery');
    expect(right).toMatchObject({ metadata: { namespace: 'wharf' }, rules: [{ verbs: ['get', 'list', 'watch'] }] });
  });
});

test.each(['local', 'staging', 'production/blue', 'production/green'] as const)(
  'every service of the overlay %s is asked for its metrics, and nothing else is',
  (overlay: Overlay) => {
    const file = parse(readFileSync(`${MONITORING}/prometheus.yaml`, 'utf8')) as PrometheusConfig; // Prometheus's own format
    const kept = file.scrape_configs[0]?.relabel_configs.find(({ action }) => action === 'keep')?.regex ?? '';
    const asked = build(overlay)
      .flatMap((object) => podsOf(object) ?? [])
      .flatMap(({ metadata, spec }) =>
        spec.containers.flatMap(({ ports = [] }) =>
          ports.map((port) => `${metadata.labels['app.kubernetes.io/name']};${port.name}`),
        ),
      )
      .filter((labels) => new RegExp(`^(?:${kept})$`).test(labels));
    expect(asked.toSorted()).toEqual(SERVICES.map((service) => `wharf-${service};http`).toSorted());
  },
);

/** What the page names, which test/telemetry holds against what services show in a real run. */
const DOCUMENTED = new Set(
  [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `([a-z_]+)` *\|/gm)].map(([, name = '']) => name),
);
/** What cert-manager shows. */
const OF_OTHERS = ['certmanager_certificate_expiration_timestamp_seconds'];

/** The metrics in texts that no service shows. */
function unknownMetrics(text: string): string[] {
  const names = [...text.matchAll(/\b((?:wharf|db|certmanager)_[a-z_]+)(?=[{[,)\s"|\\]|$)/gm)].map(
    ([, name = '']) => name,
  );
  const shown = (name: string): boolean =>
    [name, name.replace(/_(?:total|bucket|sum|count)$/, '')].some(
      (each) => DOCUMENTED.has(each) || OF_OTHERS.includes(each),
    );
  return names.filter((name) => !shown(name));
}

test.each([
  'rules.yaml',
  'adapter.yaml',
  'dashboards/wharf-executive.json',
  'dashboards/wharf-operations.json',
  'dashboards/wharf-debugging.json',
])('%s asks for metrics that the services show, and for no other', (file) => {
  const text = readFileSync(`${MONITORING}/${file}`, 'utf8');
  expect(text).toMatch(/wharf_[a-z_]+/);
  // A label that is grouped by is none.
  expect(unknownMetrics(text.replaceAll(/by \([^)]*\)/g, ''))).toEqual([]);
  expect(unknownMetrics(text.replace(/wharf_[a-z]+_/, 'wharf_no_such_'))).not.toEqual([]);
});

function configOf(object: KubeObject | undefined): PrometheusConfig {
  return parse(object?.data?.['prometheus.yaml'] ?? '') as PrometheusConfig; // Prometheus's own format
}
