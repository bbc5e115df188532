import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findPrometheus, freePort, type PrometheusPrograms } from '#libs/embedded';
import { ObservedPlatform } from './observed-platform.fixture.js';
import { Prometheus } from './prometheus.fixture.js';

const run = promisify(execFile);
const MONITORING = path.resolve('k8s/base/monitoring');
/** Not ours: what cert-manager and kube-state-metrics say. */
const OF_OTHERS = new Set([
  'certmanager_certificate_expiration_timestamp_seconds',
  'kube_cronjob_created',
  'kube_cronjob_status_last_successful_time',
  'kube_job_failed',
  'kube_job_status_start_time',
]);
const HISTOGRAM_PART = /_(bucket|sum|count)$/;

/** Metrics by name as Prometheus writes them, each with the names of its labels. */
let exposed: Map<string, Set<string>>;
let scraped: string;
let programs: PrometheusPrograms;
/** What Prometheus had no data for, although it watched a platform that was used. */
let withoutData: readonly string[];
let platform: ObservedPlatform | undefined;
let prometheus: Prometheus | undefined;

beforeAll(async () => {
  const found = await findPrometheus(path.resolve('.cache'));
  if (found === undefined) throw new Error('These tests need prometheus: install it, or have apt-get fetch it.');
  programs = found;
  const runtimePort = await freePort();
  platform = await ObservedPlatform.start({
    OTEL_METRIC_EXPORT_INTERVAL: '500',
    WHARF_RUNTIME_PORT: String(runtimePort),
  });
  const targets = [new URL(platform.wharf.url).host, `localhost:${runtimePort}`];
  prometheus = await Prometheus.start(programs.prometheus, targets, path.join(MONITORING, 'rules.yaml'));
  const tenant = await platform.openTenant('measured');
  await platform.useAll(tenant);
  // A rate needs a counter to grow between two looks at it.
  expect(
    await prometheus.withoutData(['wharf_tool_calls_total', 'wharf_egress_requests_total', 'wharf_probe_runs_total']),
  ).toEqual([]);
  await platform.useAll(tenant);
  withoutData = await prometheus.withoutData([...queries]);
  await prometheus.stop();
  await platform.receiver.untilMetric('wharf_egress_breakers');
  scraped = await platform.scrape();
  exposed = seriesIn(scraped);
  await platform.stop();
  for (const [name, labels] of platform.receiver.metrics) {
    const known = exposed.get(name) ?? new Set();
    for (const label of labels) known.add(label.replaceAll('.', '_'));
    exposed.set(name, known);
  }
});

afterAll(async () => {
  await prometheus?.stop();
  await platform?.stop().catch(() => undefined);
});

function seriesIn(text: string): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const [, written = '', labels = ''] of text.matchAll(/^([a-z_][a-z0-9_]*)(?:\{(.*)\})? \S+/gm)) {
    const name = written.replace(HISTOGRAM_PART, '');
    const known = found.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/([a-z_]+)="/g)) known.add(label);
    found.set(name, known);
  }
  return found;
}

function documented(): string[] {
  const page = readFileSync('docs/metrics.md', 'utf8');
  return [...page.matchAll(/^\| `([a-z_]+)` *\|/gm)].flatMap(([, name]) => (name === undefined ? [] : [name])).sort();
}

function declared(): string[] {
  const files = ['apps', 'libs'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(file))
      .map((file) => readFileSync(path.join(folder, file), 'utf8')),
  );
  const making =
    /(?:create(?:Observable)?(?:Counter|Gauge|Histogram|UpDownCounter)\(|new (?:Duration|Gauge)?Tally\()\s*(?:'[a-z-]+',\s*)?'(wharf_[a-z_]+)'/g;
  const names = files.flatMap((text) => [...text.matchAll(making)].map(([, name = '']) => name));
  return [...new Set(names)].sort();
}

describe('docs/metrics.md', () => {
  test('names every metric that a real run exposes', () => {
    const page = new Set(documented());
    expect([...exposed.keys()].filter((name) => !page.has(name.replace(/_total$/, '')))).toEqual([]);
  });

  test('names no metric that is not there, and leaves out none', () => {
    const ofOthers = ['db_client_operation_duration', 'target_info'];
    expect(documented()).toEqual([...declared(), ...ofOthers].sort());
    expect(ofOthers.filter((name) => !exposed.has(name))).toEqual([]);
  });
});

test('no histogram of seconds has the bounds that OpenTelemetry means for milliseconds', () => {
  const bounds = [...scraped.matchAll(/^(\w+_seconds)_bucket\{.*le="([\d.]+)"\}/gm)];
  expect(new Set(bounds.map(([, name]) => name)).size).toBeGreaterThan(3);
  expect(bounds.filter(([, , le]) => le === '10000').map(([, name]) => name)).toEqual([]);
});

interface Panel {
  readonly title: string;
  readonly datasource: { readonly type: string };
  readonly targets: ReadonlyArray<{ readonly expr?: string }>;
}

const dashboards = readdirSync(path.join(MONITORING, 'dashboards')).map((file) => {
  const text = readFileSync(path.join(MONITORING, 'dashboards', file), 'utf8');
  return { file, panels: (JSON.parse(text) as { panels: Panel[] }).panels }; // our own files
});
const panels = dashboards.flatMap(({ file, panels: all }) =>
  all.filter(({ datasource }) => datasource.type === 'prometheus').map((panel) => ({ file, ...panel })),
);

/** A panel's expression with Grafana's variables in it filled in. */
function filledIn(expression: string): string {
  return expression.replaceAll('$__range', '1h').replaceAll(/\$[a-z]+/g, '.*');
}

/** The metrics that an expression asks for, each with the labels it selects by. */
function asked(expression: string): Array<{ name: string; labels: string[] }> {
  return [...expression.matchAll(/\b((?:wharf|db|certmanager)_[a-z_]+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', selector = '']) => ({
      name,
      labels: [...selector.matchAll(/([a-z_]+)\s*[=!]/g)].map(([, label = '']) => label),
    }),
  );
}

function missingIn(expression: string): string[] {
  // Grouping labels look like metrics of a database; the names asked for are followed by a selector or a range.
  const grouped = new Set([...expression.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/)));
  return asked(expression)
    .filter(({ name }) => !grouped.has(name) && !OF_OTHERS.has(name))
    .flatMap(({ name, labels }) => {
      const known = exposed.get(name) ?? exposed.get(name.replace(HISTOGRAM_PART, ''));
      if (known === undefined) return [name];
      return labels.filter((label) => !known.has(label)).map((label) => `${name}{${label}}`);
    });
}

test.each(panels)('$file: "$title" asks for what a real run exposes, and Prometheus has data for it', ({ targets }) => {
  expect(targets.length).toBeGreaterThan(0);
  for (const { expr = '' } of targets) {
    expect(missingIn(expr)).toEqual([]);
    expect(withoutData).not.toContain(filledIn(expr));
  }
});

test('Prometheus works out every recorded rule of a platform that is used', () => {
  expect(recorded.filter((name) => withoutData.includes(name))).toEqual([]);
});

const rules = readFileSync(path.join(MONITORING, 'rules.yaml'), 'utf8');
const recorded = [...rules.matchAll(/- record: (\S+)/g)].map(([, name = '']) => name);
const queries = new Set([
  ...recorded,
  ...panels.flatMap(({ targets }) => targets.map(({ expr = '' }) => filledIn(expr))),
]);
const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);

test('the rules ask for what a real run exposes, and panels for rules that are there', () => {
  expect(missingIn(rules)).toEqual([]);
  const used = [...JSON.stringify(dashboards).matchAll(/wharf:[a-z0-9_:]+/g)].map(([name]) => name);
  expect(used.filter((name) => !recorded.includes(name))).toEqual([]);
});

test('every alert has a runbook of its name, and every runbook an alert', () => {
  const runbooks = readdirSync('docs/runbooks').map((file) => file.replace(/\.md$/, ''));
  expect(runbooks.sort()).toEqual([...alerts].sort());
  for (const alert of alerts) expect(rules).toContain(`runbook: docs/runbooks/${alert}.md`);
});

describe('promtool', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'wharf-rules-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('finds the rules good, and that each alert is heard of when it should be and not otherwise', async () => {
    await run(programs.promtool, ['check', 'rules', path.join(MONITORING, 'rules.yaml')]);
    const files = ['rules.test.yaml', 'backups.test.yaml'].map((file) => path.join(MONITORING, file));
    const tried = await run(programs.promtool, ['test', 'rules', ...files]);
    expect(tried.stdout.match(/SUCCESS/g)).toHaveLength(files.length);
    const cases = files.map((file) => readFileSync(file, 'utf8')).join('');
    for (const alert of alerts) expect(cases).toContain(alert);
  });

  // Debian builds its Prometheus without Kubernetes: whom to ask there is checked with what overlays make (test/deployment).
  test.each([path.join(MONITORING, 'prometheus.yaml'), 'deploy/compose/prometheus.yaml'])(
    'finds the configuration %s good',
    async (source) => {
      const file = path.join(folder, 'prometheus.yaml');
      const text = readFileSync(source, 'utf8').replace(
        /kubernetes_sd_configs:\n.*\n/,
        'static_configs: [{ targets: [gateway] }]\n',
      );
      writeFileSync(file, text);
      const read = await run(programs.promtool, ['check', 'config', '--syntax-only', file]);
      expect(read.stdout).toContain('is valid prometheus config file syntax');
    },
  );

  test('can read every panel’s expression', async () => {
    const file = path.join(folder, 'panels.yaml');
    const asked = panels.flatMap(({ targets }) => targets.map(({ expr = '' }) => filledIn(expr)));
    const group = { name: 'panels', rules: asked.map((expr, at) => ({ record: `panel_${at}`, expr })) };
    writeFileSync(file, JSON.stringify({ groups: [group] }));
    await expect(run(programs.promtool, ['check', 'rules', file])).resolves.toBeDefined();
  });
});
