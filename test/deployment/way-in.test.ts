import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { BOUNDS } from '../scaling/formula.js';
import { build, OVERLAYS, podsOf, provideKubectl, type KubeObject, type Overlay } from './kustomize.fixture.js';

interface Rule {
  readonly matches: ReadonlyArray<{ readonly path: { readonly type: string; readonly value: string } }>;
  readonly timeouts: { readonly request: string };
  readonly backendRefs: ReadonlyArray<{ readonly name: string; readonly weight?: number }>;
}

let objects: ReadonlyMap<Overlay, readonly KubeObject[]>;
const of = (overlay: Overlay): readonly KubeObject[] => objects.get(overlay) ?? [];
const named = (overlay: Overlay, kind: string, name: string): KubeObject | undefined =>
  of(overlay).find((object) => object.kind === kind && object.metadata.name === name);
const rulesOf = (overlay: Overlay, name: string): readonly Rule[] =>
  (named(overlay, 'HTTPRoute', name)?.spec?.['rules'] ?? []) as readonly Rule[]; // its schema was checked

beforeAll(() => {
  provideKubectl();
  objects = new Map(OVERLAYS.map((overlay) => [overlay, build(overlay)]));
});

/** The rule that a request meets by the Gateway API: an exact path first, then the longest prefix of whole parts. */
function ruleFor(rules: readonly Rule[], asked: string): Rule | undefined {
  const found = rules.flatMap((rule) =>
    rule.matches.flatMap(({ path: { type, value } }) => {
      const prefix = value.replace(/\/$/, '');
      const meets = type === 'Exact' ? asked === value : asked === prefix || asked.startsWith(`${prefix}/`);
      return meets ? [{ rule, weight: type === 'Exact' ? Infinity : value.length }] : [];
    }),
  );
  return found.toSorted((one, other) => other.weight - one.weight)[0]?.rule;
}

describe.each(['staging', 'production/shared'] as const)('the way in of %s', (overlay) => {
  test.each([
    ['/t/shop/books/mcp', 'wharf-gateway', '0s'],
    ['/.well-known/oauth-protected-resource/t/shop/mcp', 'wharf-gateway', '0s'],
    ['/auth/token', 'wharf-auth-server', '90s'],
    ['/authorize', 'wharf-auth-server', '90s'],
    ['/token', 'wharf-auth-server', '90s'],
    ['/register', 'wharf-auth-server', '90s'],
    ['/.well-known/oauth-authorization-server/auth', 'wharf-auth-server', '90s'],
    ['/.well-known/openid-configuration', 'wharf-auth-server', '90s'],
    ['/v1/me/grants', 'wharf-auth-server', '90s'],
    ['/v1/me/grants/abc', 'wharf-auth-server', '90s'],
    ['/v1/me/connections', 'wharf-control-plane', '90s'],
    ['/v1/servers', 'wharf-control-plane', '90s'],
    ['/v1/audit/export', 'wharf-control-plane', '0s'],
    ['/admin/v1/tenants', 'wharf-control-plane', '90s'],
    ['/v0/servers', 'wharf-control-plane', '90s'],
    ['/registry/packages', 'wharf-control-plane', '90s'],
  ])('sends %s to %s, for as long as it may take', (asked, service, request) => {
    const rule = ruleFor(rulesOf(overlay, 'wharf-shared-host'), asked);
    expect(rule?.backendRefs.map(({ name }) => name.replace(/-(?:blue|green)$/, ''))).toContain(service);
    expect(rule?.timeouts.request).toBe(request);
  });

  test('keeps what is for ourselves inside, and sends a tenant’s host to its gateway', () => {
    for (const asked of ['/metrics', '/readyz', '/healthz', '/'])
      expect(ruleFor(rulesOf(overlay, 'wharf-shared-host'), asked)).toBeUndefined();
    const [gateway, auth] = ['/mcp', '/authorize'].map((asked) =>
      ruleFor(rulesOf(overlay, 'wharf-tenant-hosts'), asked),
    );
    expect(gateway?.timeouts.request).toBe('0s');
    expect(gateway?.backendRefs[0]?.name).toMatch(/^wharf-gateway/);
    expect(auth?.backendRefs[0]?.name).toMatch(/^wharf-auth-server/);
  });

  test('answers over TLS at the hosts of its settings, and holds a session at its gateway', () => {
    const host = overlay === 'staging' ? 'staging.wharf.example.com' : 'wharf.example.com';
    const tenants = `*.mcp.${host}`;
    expect(named(overlay, 'Certificate', 'wharf')?.spec?.['dnsNames']).toEqual([host, tenants]);
    expect(named(overlay, 'HTTPRoute', 'wharf-tenant-hosts')?.spec?.['hostnames']).toEqual([tenants]);
    expect(named(overlay, 'HTTPRoute', 'wharf-shared-host')?.spec?.['hostnames']).toEqual([host]);
    expect(named(overlay, 'BackendTrafficPolicy', 'wharf-sessions')?.spec).toMatchObject({
      loadBalancer: { type: 'ConsistentHash', consistentHash: { type: 'Header', header: { name: 'Mcp-Session-Id' } } },
    });
  });
});

test('each Envoy carries as many streams as the sizes are planned with, and takes those of a lost gateway at once', () => {
  const policies = OVERLAYS.flatMap((overlay) => of(overlay).filter(({ kind }) => kind === 'BackendTrafficPolicy'));
  expect(policies).toHaveLength(2);
  const page = readFileSync('docs/scaling.md', 'utf8');
  const figure = (text: string): number =>
    Number(new RegExp(`${text}[^|]*\\|\\s*([\\d,]+)`).exec(page)?.[1]?.replace(',', ''));
  for (const { spec } of policies) {
    expect(spec?.['circuitBreaker']).toEqual({
      maxConnections: figure('streams of an Envoy'),
      maxParallelRequests: figure('streams of an Envoy'),
      maxPendingRequests: BOUNDS.sessionsPerGateway,
    });
    const targets = spec?.['targetRefs'] as ReadonlyArray<{ readonly name: string }> | undefined; // its schema was checked
    expect(targets?.map(({ name }) => name).toSorted()).toEqual(['wharf-shared-host', 'wharf-tenant-hosts']);
  }
});

describe('production', () => {
  test('has the rules of every other way in, with both halves behind each', () => {
    for (const name of ['wharf-shared-host', 'wharf-tenant-hosts']) {
      const strip = ({ backendRefs: _backends, ...rule }: Rule): object => rule;
      expect(rulesOf('production/shared', name).map(strip)).toEqual(rulesOf('staging', name).map(strip));
      const halves = [...of('production/blue'), ...of('production/green')].filter(({ kind }) => kind === 'Service');
      for (const { backendRefs } of rulesOf('production/shared', name)) {
        expect(backendRefs.map((each) => each.name.replace(/.*-/, ''))).toEqual(['blue', 'green']);
        for (const each of backendRefs) expect(halves.map(({ metadata }) => metadata.name)).toContain(each.name);
      }
    }
  });

  test('has one pair of hosts, in its halves and in what they share', () => {
    const hosts = (['production/blue', 'production/green', 'production/shared'] as const).map((overlay) => {
      const settings = of(overlay).find(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('wharf-settings'),
      );
      return [settings?.data?.['WHARF_PUBLIC_URL'], settings?.data?.['WHARF_BASE_DOMAIN']];
    });
    expect(hosts[0]).toEqual([expect.stringMatching(/^https:/), expect.any(String)]);
    for (const each of hosts) expect(each).toEqual(hosts[0]);
  });

  test('has two halves that share no pod', () => {
    for (const color of ['blue', 'green'] as const)
      for (const object of of(`production/${color}`))
        if (podsOf(object) !== undefined) expect(object.metadata.name).toMatch(new RegExp(`-${color}$`));
  });

  test('the switch sends every new connection to the other half, and changes nothing else', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'wharf-switch-'));
    cpSync('k8s', path.join(folder, 'k8s'), { recursive: true });
    const shared = path.join(folder, 'k8s/overlays/production/shared');
    const read = (): string => execFileSync('kubectl', ['kustomize', shared], { encoding: 'utf8', timeout: 120_000 });
    const before = read().split('\n');
    const file = path.join(shared, 'switch.yaml');
    const text = readFileSync(file, 'utf8');
    const turned = text.replace(/blue: \d/, 'blue: 0').replace(/green: \d/, 'green: 1');
    const turnedBack = text.replace(/blue: \d/, 'blue: 1').replace(/green: \d/, 'green: 0');
    writeFileSync(file, turned === text ? turnedBack : turned);
    const after = read().split('\n');
    rmSync(folder, { recursive: true });
    expect(after).toHaveLength(before.length);
    const different = after.flatMap((line, index) => (line === before[index] ? [] : [line.trim()]));
    expect(new Set(different)).toEqual(new Set(['weight: 0', 'weight: 1']));
    const rules = ['wharf-shared-host', 'wharf-tenant-hosts'].flatMap((name) => rulesOf('production/shared', name));
    expect(different).toHaveLength(2 * rules.length);
    for (const { backendRefs } of rules) expect(backendRefs.map(({ weight }) => weight).toSorted()).toEqual([0, 1]);
  });

  test('keeps its keys out of the repository', () => {
    for (const overlay of ['staging', 'production/blue', 'production/green', 'production/shared'] as const)
      expect(of(overlay).filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });
});
