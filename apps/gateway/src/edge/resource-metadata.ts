import type { ServerResponse } from 'node:http';
import { sendJson } from '#libs/http';
import { DPOP_ALGORITHMS, firstScope } from '#libs/identity';
import { routedUrl, serversBehind } from '../routing/profiles.js';
import type { TenantRoutes } from '../routing/tenants.repository.js';
import { METADATA_PATH, type TenantUrl, type TenantUrls } from './tenant-url.js';

/** A protected resource as RFC 9728 describes it. */
export interface ProtectedResource {
  readonly resource: string;
  /** What agents are asked for at first. */
  readonly scope: string;
  readonly name: string;
}

/** What a metadata path asks about: a tenant URL, or a tenant's management API. */
export type MetadataQuestion =
  | { readonly kind: 'tenant-url'; readonly target: TenantUrl }
  | { readonly kind: 'management'; readonly tenantSlug: string };

const MANAGEMENT_PATH = /^\/v1\/tenants\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/?$/;
const MAX_AGE_SECONDS = 300;

/**
 * What a metadata URL asks about; undefined for what cannot exist. At a tenant host's root it is the tenant's own URL;
 * the root of the shared host names nothing, for one document there would mint one token for all tenants.
 */
export function metadataQuestion(urls: TenantUrls, host: string, path: string): MetadataQuestion | undefined {
  const rest = path.slice(METADATA_PATH.length);
  const onTenantHost = !urls.isSharedHost(host);
  const target = urls.find(host, onTenantHost && (rest === '' || rest === '/') ? '/mcp' : rest);
  if (target !== undefined && target.transport !== 'messages') return { kind: 'tenant-url', target };
  const tenantSlug = onTenantHost ? undefined : MANAGEMENT_PATH.exec(rest)?.[1];
  return tenantSlug === undefined ? undefined : { kind: 'management', tenantSlug };
}

/** The scope of the management API. */
export const MANAGEMENT_SCOPE = 'management';

/** The resource behind a question. */
export function protectedResource(
  question: MetadataQuestion,
  tenant: TenantRoutes,
  publicUrl: string,
): ProtectedResource {
  if (question.kind === 'management') {
    const resource = `${publicUrl}/v1/tenants/${question.tenantSlug}`;
    return { resource, scope: MANAGEMENT_SCOPE, name: `${tenant.name}: management` };
  }
  const target = routedUrl(tenant, question.target);
  const { resource, serverSlug, major, profile } = target;
  const server = `${serverSlug?.replace('~', ' ')}${major === undefined ? '' : ` ${major}`}`;
  const part = profile?.name ?? (serverSlug === undefined ? undefined : server);
  return {
    resource,
    scope: firstScope(serversBehind(tenant.servers, target), serverSlug),
    name: part === undefined ? tenant.name : `${tenant.name}: ${part}`,
  };
}

/** Answers a resource's metadata (RFC 9728 §3.2); anybody may read it from any page. */
export function sendMetadata(
  response: ServerResponse,
  { resource, scope, name }: ProtectedResource,
  issuer: string,
): void {
  const metadata = {
    resource,
    authorization_servers: [issuer],
    scopes_supported: scope.split(' '),
    bearer_methods_supported: ['header'],
    // The management API asks for no proof of a key.
    ...(scope === MANAGEMENT_SCOPE ? {} : { dpop_signing_alg_values_supported: DPOP_ALGORITHMS }),
    resource_name: name,
  };
  sendJson(response, 200, metadata, {
    'access-control-allow-origin': '*',
    'cache-control': `public, max-age=${MAX_AGE_SECONDS}`,
  });
}
