import { describe, expect, test } from '@jest/globals';
import { parseResource, resourceUrl, type TenantResource } from './resources.js';

const scheme = { publicUrl: 'https://wharf.example', baseDomain: 'mcp.example' };

describe('a resource URL', () => {
  const resources: TenantResource[] = [
    { kind: 'tenant', tenantSlug: 'acme' },
    { kind: 'server', tenantSlug: 'acme', serverSlug: 'orders' },
    { kind: 'server', tenantSlug: 'acme', serverSlug: 'orders', major: 0 },
    { kind: 'server', tenantSlug: 'acme', serverSlug: 'orders', major: 12 },
    { kind: 'management', tenantSlug: 'acme' },
  ];
  test.each(resources)('reads back what it was written from: %j', (resource) => {
    expect(parseResource(scheme, resourceUrl(scheme, resource))).toEqual(resource);
  });

  test('is understood on the tenant host too', () => {
    expect(parseResource(scheme, 'https://acme.mcp.example/mcp')).toEqual({ kind: 'tenant', tenantSlug: 'acme' });
    expect(parseResource(scheme, 'https://acme.mcp.example/sse')).toEqual({ kind: 'tenant', tenantSlug: 'acme' });
    expect(parseResource(scheme, 'https://acme.mcp.example/orders/mcp')).toEqual({
      kind: 'server',
      tenantSlug: 'acme',
      serverSlug: 'orders',
    });
  });

  test.each([
    'https://wharf.example',
    'https://wharf.example/t/acme',
    'https://wharf.example/t/acme/mcp/',
    'https://wharf.example/t/acme/mcp?x=1',
    'https://wharf.example/t/acme/mcp#f',
    'https://user@wharf.example/t/acme/mcp',
    'https://wharf.example/t/acme/../other/mcp/x',
    'https://wharf.example/t/ACME/mcp',
    'https://wharf.example/t/acme/orders@/mcp',
    'https://wharf.example/t/acme/orders@01/mcp',
    'https://wharf.example/t/acme@1/mcp',
    'https://wharf.example/t/acme/orders@1.2/mcp',
    'https://evil.example/t/acme/mcp',
    'http://wharf.example/t/acme/mcp',
    'https://a.b.mcp.example/mcp',
    'https://acme.mcp.example.evil/mcp',
    'not a url',
    'https://wharf.example/t/acme/mcp ',
    ' https://wharf.example/t/acme/mcp',
    'https://wharf.example/t/acme/mcp\u0000',
    'https://wharf.ex\tample/t/acme/mcp',
    'https://wharf.example\\t\\acme\\mcp',
    'https://wharf.example/x/../t/acme/mcp',
    'https://wharf.example/t/acme/mcp?',
  ])('refuses %s', (text) => {
    expect(parseResource(scheme, text)).toBeUndefined();
  });
});
