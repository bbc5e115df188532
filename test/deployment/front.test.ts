import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

/** One machine has one address for every service too: of compose, and of a cluster of one's own. */
const FILES = ['deploy/compose/Caddyfile', 'k8s/overlays/local/Caddyfile'] as const;

/** The service that a path is sent to, by the matchers of a Caddyfile in their order. */
function serviceFor(text: string, asked: string): string | undefined {
  const named = new Map([...text.matchAll(/^\s*@(\w+) path (.+)$/gm)].map(([, name = '', list = '']) => [name, list]));
  for (const [, name = '', service = ''] of text.matchAll(/handle @(\w+) \{\s*reverse_proxy (?:wharf-)?([a-z-]+)/g)) {
    const patterns = named.get(name)?.split(' ') ?? [];
    const meets = (pattern: string): boolean =>
      pattern.endsWith('*') ? asked.startsWith(pattern.slice(0, -1)) : asked === pattern;
    if (patterns.some(meets)) return service;
  }
  return undefined;
}

/** The paths of the public host in the table of docs/production.md, each with its service, in the table's order. */
function tableOfPaths(): ReadonlyArray<readonly [path: string, service: string]> {
  const page = readFileSync('docs/production.md', 'utf8');
  const [, rows = ''] = /^\| path +\| service +\|\n\|[- |]+\|\n((?:\|.*\n)+)/m.exec(page) ?? [];
  return rows
    .trim()
    .split('\n')
    .flatMap((row) => {
      const [, paths = '', service = ''] = row.split('|');
      // What begins with a name in braces is of another host.
      return [...paths.matchAll(/`(\/[^`]*)`/g)].map(([, value = '']) => [value, service.trim()] as const);
    });
}

/** The service that the table sends a path to: its first row that means it. */
const servedByTable = (asked: string): string | undefined =>
  tableOfPaths().find(([value]) => (value.endsWith('…') ? asked.startsWith(value.slice(0, -1)) : asked === value))?.[1];

test('the table of paths for another balancer sends each path where these files send it', () => {
  const table = tableOfPaths();
  expect(table.length).toBeGreaterThan(10);
  const text = readFileSync(FILES[0], 'utf8');
  const ofFile = [...text.matchAll(/^\s*@\w+ path (.+)$/gm)].flatMap(([, list = '']) => list.split(' '));
  for (const asked of [
    ...table.map(([value]) => value.replace('…', '/x')),
    ...ofFile.map((each) => each.replace('*', 'x')),
  ])
    expect([asked, servedByTable(asked)]).toEqual([asked, serviceFor(text, asked)]);
  for (const asked of ['/', '/metrics', '/readyz', '/healthz']) expect(servedByTable(asked)).toBeUndefined();
});

test.each(FILES)('%s sends each path where the way in of a cluster sends it, and keeps the rest inside', (file) => {
  const text = readFileSync(file, 'utf8');
  const routes: Readonly<Record<string, string | undefined>> = {
    '/t/shop/books/mcp': 'gateway',
    '/.well-known/oauth-protected-resource/t/shop/mcp': 'gateway',
    '/auth/token': 'auth-server',
    '/authorize': 'auth-server',
    '/token': 'auth-server',
    '/register': 'auth-server',
    '/.well-known/oauth-authorization-server/auth': 'auth-server',
    '/.well-known/openid-configuration': 'auth-server',
    '/v1/me/grants': 'auth-server',
    '/v1/me/grants/abc': 'auth-server',
    '/v1/me/connections': 'control-plane',
    '/v1/audit/export': 'control-plane',
    '/admin/v1/tenants': 'control-plane',
    '/v0/servers': 'control-plane',
    '/registry/packages': 'control-plane',
    '/metrics': undefined,
    '/readyz': undefined,
    '/': undefined,
  };
  for (const [asked, service] of Object.entries(routes))
    expect([asked, serviceFor(text, asked)]).toEqual([asked, service]);
});

test('the two differ in the names of their services alone', () => {
  const [compose = '', cluster = ''] = FILES.map((file) => readFileSync(file, 'utf8'));
  expect(cluster.replaceAll(/wharf-([a-z-]+)\.wharf:80\b/g, '$1:8080')).toBe(compose);
});
