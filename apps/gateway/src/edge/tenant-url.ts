import { isLoopback } from '#libs/http';

/** Where the platform's URLs live. */
export interface Hosts {
  /** The shared host without a trailing slash. */
  readonly publicUrl: string;
  /** With it, `{tenant}.{baseDomain}` are tenant hosts. */
  readonly baseDomain?: string | undefined;
}

/** A tenant URL as it was called: what it names, and the URLs that belong to exactly this form of it. */
export interface TenantUrl {
  readonly tenantSlug: string;
  /** Undefined on the tenant's own URL, which serves all its servers. */
  readonly serverSlug: string | undefined;
  /** On the URL of one major version of a server, `/{server}@{major}/mcp`. */
  readonly major?: number;
  /** Streamable HTTP, or the stream or the messages of the HTTP+SSE transport (MCP 2024-11-05). */
  readonly transport: 'http' | 'sse' | 'messages';
  /** Canonical, without a trailing slash: the `resource` (RFC 8707, RFC 9728) and the `aud` of its tokens. */
  readonly resource: string;
  /** The `aud` of tokens that are good here: of the HTTP+SSE transport also those of the `/mcp` beside it. */
  readonly audiences: readonly string[];
  /** Where its protected-resource metadata is (RFC 9728 §3.1). */
  readonly metadataUrl: string;
}

/** The well-known path of RFC 9728, without the resource's own path. */
export const METADATA_PATH = '/.well-known/oauth-protected-resource';

const SLUG = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const TENANT_LABEL = new RegExp(`^${SLUG}$`);
/** A server or one of its environments, and maybe a major version. */
const SERVER = `(${SLUG}(?:~[a-z](?:[a-z0-9-]{0,14}[a-z0-9])?)?(?:@(?:0|[1-9][0-9]{0,4}))?)`;
const SHARED_PATH = new RegExp(`^/t/(${SLUG})(?:/${SERVER})?/(mcp|sse|messages)/?$`);
/** Some connectors call the root of a tenant host whatever URL they were given; it is the tenant's own URL. */
const TENANT_HOST_PATH = new RegExp(`^(?:/|(?:/${SERVER})?/(mcp|sse|messages)/?)$`);

/** The URLs of one deployment: which hosts are ours, and what a host and a path name. */
export class TenantUrls {
  readonly #public: URL;

  constructor(private readonly hosts: Hosts) {
    this.#public = new URL(hosts.publicUrl);
  }

  /** Origin of the shared host. */
  get publicOrigin(): string {
    return this.#public.origin;
  }

  /** Whether the deployment is on this machine, for its own people. */
  get isLocal(): boolean {
    return isLoopback(this.#public.hostname);
  }

  /** The origin of pages under one of our own hosts. */
  originOf(host: string): string {
    return `${this.#public.protocol}//${host}`;
  }

  /** Whether the `Host` is the shared host. Loopback names are one host, whatever their port, while ours is one. */
  isSharedHost(host: string): boolean {
    if (host === this.#public.host) return true;
    return this.isLocal && isLoopback(host.replace(/:\d+$/, ''));
  }

  /** The tenant of a tenant host, undefined for any other host. */
  tenantOfHost(host: string): string | undefined {
    const suffix = `.${this.hosts.baseDomain}`;
    if (this.hosts.baseDomain === undefined || !host.endsWith(suffix)) return undefined;
    const label = host.slice(0, -suffix.length);
    return TENANT_LABEL.test(label) ? label : undefined;
  }

  /** The tenant URL that a host and a path name; undefined where they name none. */
  find(host: string, path: string): TenantUrl | undefined {
    const tenantOfHost = this.isSharedHost(host) ? undefined : this.tenantOfHost(host);
    if (tenantOfHost !== undefined) {
      const match = TENANT_HOST_PATH.exec(path);
      return match === null ? undefined : this.#onTenantHost(tenantOfHost, match[1], match[2]);
    }
    const match = this.isSharedHost(host) ? SHARED_PATH.exec(path) : null;
    return match?.[1] === undefined ? undefined : this.#onSharedHost(match[1], match[2], match[3]);
  }

  #onSharedHost(tenantSlug: string, server: string | undefined, last: string | undefined): TenantUrl {
    const path = `/t/${tenantSlug}${server === undefined ? '' : `/${server}`}`;
    return { tenantSlug, ...serverNamed(server), ...urlsAt(this.hosts.publicUrl, path, transportOf(last)) };
  }

  #onTenantHost(tenantSlug: string, server: string | undefined, last: string | undefined): TenantUrl {
    const origin = this.originOf(`${tenantSlug}.${this.hosts.baseDomain}`);
    const path = server === undefined ? '' : `/${server}`;
    return { tenantSlug, ...serverNamed(server), ...urlsAt(origin, path, transportOf(last)) };
  }
}

/** A server's part of a path: its slug, and a major version where the path names one. */
function serverNamed(part: string | undefined): Pick<TenantUrl, 'serverSlug' | 'major'> {
  const [serverSlug, major] = part?.split('@') ?? [];
  return { serverSlug, ...(major === undefined ? {} : { major: Number(major) }) };
}

function transportOf(last: string | undefined): TenantUrl['transport'] {
  return last === 'sse' || last === 'messages' ? last : 'http';
}

/** The messages of HTTP+SSE belong to its stream, which is the URL that agents are given. */
function urlsAt(
  origin: string,
  folder: string,
  transport: TenantUrl['transport'],
): Pick<TenantUrl, 'transport' | 'resource' | 'audiences' | 'metadataUrl'> {
  const path = `${folder}/${transport === 'http' ? 'mcp' : 'sse'}`;
  const resource = `${origin}${path}`;
  const audiences = transport === 'http' ? [resource] : [resource, `${origin}${folder}/mcp`];
  return { transport, resource, audiences, metadataUrl: `${origin}${METADATA_PATH}${path}` };
}
