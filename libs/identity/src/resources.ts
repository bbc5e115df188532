import { isReread } from './redirect-uri.js';

/** One URL that tokens are minted for (RFC 8707 resource): a tenant URL, or a tenant's management API. */
export type TenantResource =
  | { readonly kind: 'tenant'; readonly tenantSlug: string }
  | {
      readonly kind: 'server';
      readonly tenantSlug: string;
      readonly serverSlug: string;
      /** Of the URL of one major version, `/{server}@{major}/mcp`. */
      readonly major?: number;
    }
  | { readonly kind: 'management'; readonly tenantSlug: string };

/** Where the platform's URLs live. */
export interface UrlScheme {
  /** The shared host without a trailing slash, for example `http://localhost:4000`. */
  readonly publicUrl: string;
  /** With it, `https://{tenant}.{baseDomain}` are tenant hosts. */
  readonly baseDomain?: string | undefined;
}

const SLUG = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
/** A server, or one of its environments. */
const SERVER = `(${SLUG}(?:~[a-z](?:[a-z0-9-]{0,14}[a-z0-9])?)?)(?:@(0|[1-9][0-9]{0,4}))?`;
const TENANT_PATH = new RegExp(`^/t/(${SLUG})(?:/${SERVER})?/(?:mcp|sse)$`);
const MANAGEMENT_PATH = new RegExp(`^/v1/tenants/(${SLUG})$`);
const HOST_PATH = new RegExp(`^(?:/${SERVER})?/(?:mcp|sse)$`);

/** The URL of a resource on the shared host (path form), exactly as tokens name it in `aud`. */
export function resourceUrl(scheme: UrlScheme, resource: TenantResource): string {
  if (resource.kind === 'management') return `${scheme.publicUrl}/v1/tenants/${resource.tenantSlug}`;
  const server = resource.kind === 'server' ? `/${resource.serverSlug}${majorSuffix(resource.major)}` : '';
  return `${scheme.publicUrl}/t/${resource.tenantSlug}${server}/mcp`;
}

function withoutQuery(text: string): URL | undefined {
  if (!URL.canParse(text) || isReread(text)) return undefined;
  const url = new URL(text);
  // What only the parser makes one of ours (dot segments, a lone `?`) is none as it was sent.
  if (/^[a-z]+:\/\/[^/]+(\/.*)$/i.exec(text)?.[1] !== url.pathname) return undefined;
  return url.search === '' && url.hash === '' && url.username === '' && url.password === '' ? url : undefined;
}

function majorSuffix(major: number | undefined): string {
  return major === undefined ? '' : `@${major}`;
}

function ofPath(tenantSlug: string, serverSlug: string | undefined, major: string | undefined): TenantResource {
  if (serverSlug === undefined) return { kind: 'tenant', tenantSlug };
  return { kind: 'server', tenantSlug, serverSlug, ...(major === undefined ? {} : { major: Number(major) }) };
}

/** What a resource URL names, in path or host form, by its `/mcp` or the `/sse` beside it; undefined where it is not one of ours. */
export function parseResource(scheme: UrlScheme, text: string): TenantResource | undefined {
  const url = withoutQuery(text);
  if (url === undefined) return undefined;
  if (url.origin === new URL(scheme.publicUrl).origin) {
    const management = MANAGEMENT_PATH.exec(url.pathname);
    if (management?.[1] !== undefined) return { kind: 'management', tenantSlug: management[1] };
    const tenant = TENANT_PATH.exec(url.pathname);
    return tenant?.[1] === undefined ? undefined : ofPath(tenant[1], tenant[2], tenant[3]);
  }
  const suffix = scheme.baseDomain === undefined ? undefined : `.${scheme.baseDomain}`;
  if (suffix === undefined || !url.host.endsWith(suffix)) return undefined;
  const tenantSlug = url.host.slice(0, -suffix.length);
  const path = HOST_PATH.exec(url.pathname);
  return new RegExp(`^${SLUG}$`).test(tenantSlug) && path !== null ? ofPath(tenantSlug, path[1], path[2]) : undefined;
}
