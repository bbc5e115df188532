import { resourceUrl } from '#libs/identity';
import type { ListedRow } from './registry.repository.js';
import { SERVER_SCHEMA, type Listed } from './registry.schema.js';

/** A server's name in the registry: the host from its end, then tenant and server. Slugs of tenants have no dots. */
export function registryName(publicUrl: string, tenantSlug: string, serverSlug: string): string {
  const host = new URL(publicUrl).hostname.replaceAll(/[^a-z0-9.-]/g, '');
  return `${host.split('.').toReversed().join('.')}/${tenantSlug}.${serverSlug}`;
}

/** What a name says; undefined where it is of another installation. */
export function readRegistryName(
  publicUrl: string,
  name: string,
): { readonly tenantSlug: string; readonly serverSlug: string } | undefined {
  const [, tenantSlug, serverSlug] = /\/([a-z0-9-]+)\.(.+)$/.exec(name) ?? [];
  if (tenantSlug === undefined || serverSlug === undefined) return undefined;
  return registryName(publicUrl, tenantSlug, serverSlug) === name ? { tenantSlug, serverSlug } : undefined;
}

/** One version of a server in the registry's format (`server.json`), with the URLs it is reached at. */
export function listedServer(row: ListedRow, publicUrl: string): Listed {
  const major = row.major === null ? {} : { major: row.major };
  const { tenant_slug: tenantSlug, server_slug: serverSlug } = row;
  const url = resourceUrl({ publicUrl }, { kind: 'server', tenantSlug, serverSlug, ...major });
  const old = row.sse_transport ? [{ type: 'sse' as const, url: url.replace(/mcp$/, 'sse') }] : [];
  return {
    server: {
      $schema: SERVER_SCHEMA,
      name: registryName(publicUrl, tenantSlug, serverSlug),
      title: row.title,
      description: row.description,
      version: row.version,
      ...(row.website_url === null ? {} : { websiteUrl: row.website_url }),
      ...(row.repository_url === null ? {} : { repository: repositoryOf(row.repository_url) }),
      remotes: [{ type: 'streamable-http', url }, ...old],
    },
    _meta: {
      'io.modelcontextprotocol.registry/official': {
        status: 'active',
        publishedAt: row.published_at.toISOString(),
        updatedAt: row.updated_at.toISOString(),
        isLatest: row.major === null,
      },
    },
  };
}

function repositoryOf(url: string): { url: string; source: string } {
  const host = new URL(url).hostname;
  return { url, source: host.endsWith('github.com') ? 'github' : host.endsWith('gitlab.com') ? 'gitlab' : host };
}
