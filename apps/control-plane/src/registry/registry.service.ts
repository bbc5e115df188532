import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { unlessAway, type Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf } from '../contract/contract.js';
import { cursorTo } from '../paging/cursor.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { listedServer, readRegistryName } from './listed-server.js';
import { RegistryRepository, type ListedRow, type PublicRow } from './registry.repository.js';
import type { getVersion, Listed, listPublic, ListQuery } from './registry.schema.js';

type Page = AnswerOf<typeof listPublic>;
type Version = AnswerOf<typeof getVersion>;

interface Asked {
  readonly query: ListQuery;
  readonly tenantSlug: string | undefined;
}

/** How long a page of the public registry is shown as it was read. */
const KEPT_MS = 30_000;
const KEPT_PAGES_MAX = 500;

/**
 * The MCP registry API (v0) over tenants' servers. The public index names servers only; what is reachable of each is
 * read as its tenant, so that no transaction sees more than one tenant's servers.
 */
@Injectable()
export class RegistryService {
  readonly #pages = new LRUCache<string, Page, Asked>({
    max: KEPT_PAGES_MAX,
    ttl: KEPT_MS,
    fetchMethod: (_key, _stale, { context }) => this.#readPublic(context),
  });

  constructor(
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(RegistryRepository) private readonly registry: RegistryRepository,
  ) {}

  /** Public servers of all tenants, or of one. @throws AppError `not_found` where that one has made nothing public */
  async listPublic(query: ListQuery, tenantSlug?: string): Promise<Page> {
    const context = { query, tenantSlug };
    return (await this.#pages.fetch(JSON.stringify([tenantSlug, query]), { context })) ?? this.#readPublic(context);
  }

  /** The tenant's own servers. */
  async listOwn({ tenantId }: TenantCaller, query: ListQuery): Promise<Page> {
    const asked = { ...query, limit: query.limit + 1 };
    const rows = await this.database.asTenant(tenantId, (tx) => this.registry.ownPage(tx, tenantId, asked));
    const ids = [...new Set(rows.map((row) => row.server_id))];
    return this.#page(rows, ids, query);
  }

  /** Every reachable version of a public server, of any tenant or of one. @throws AppError `not_found` */
  async versions(name: string, tenantSlug?: string): Promise<Page> {
    return pageOfVersions(await this.#publicVersions(name, tenantSlug));
  }

  /** @throws AppError `not_found` */
  async version(name: string, version: string, tenantSlug?: string): Promise<Version> {
    return versionIn(await this.#publicVersions(name, tenantSlug), name, version);
  }

  /** Every reachable version of one of the tenant's servers. @throws AppError `not_found` */
  async ownVersions(caller: TenantCaller, name: string): Promise<Page> {
    return pageOfVersions(await this.#ownVersions(caller, name));
  }

  /** @throws AppError `not_found` */
  async ownVersion(caller: TenantCaller, name: string, version: string): Promise<Version> {
    return versionIn(await this.#ownVersions(caller, name), name, version);
  }

  async #ownVersions({ tenantId, tenantSlug }: TenantCaller, name: string): Promise<Listed[]> {
    const slugs = readRegistryName(this.config.WHARF_PUBLIC_URL, name);
    const rows =
      slugs?.tenantSlug === tenantSlug
        ? await this.database.asTenant(tenantId, (tx) => this.registry.ownVersions(tx, tenantId, slugs.serverSlug))
        : [];
    if (rows.length === 0) throw new AppError('not_found');
    return rows.map((row) => listedServer(row, this.config.WHARF_PUBLIC_URL));
  }

  async #publicVersions(name: string, tenantSlug: string | undefined): Promise<Listed[]> {
    const slugs = readRegistryName(this.config.WHARF_PUBLIC_URL, name);
    const asked =
      slugs &&
      (tenantSlug === undefined || tenantSlug === slugs.tenantSlug) &&
      (await this.database.everywhere((tx) => this.registry.findPublic(tx, slugs.tenantSlug, slugs.serverSlug)));
    const found = asked ? asked.find((row) => row !== undefined) : undefined;
    const rows = found === undefined ? [] : await this.#reachable([found]);
    if (rows.length === 0) throw new AppError('not_found', { message: `There is no public server ${name} here.` });
    return rows.map((row) => listedServer(row, this.config.WHARF_PUBLIC_URL));
  }

  async #readPublic({ query, tenantSlug }: Asked): Promise<Page> {
    const limit = query.limit + 1;
    const pages = await this.database.everywhere((tx) => this.registry.publicPage(tx, { ...query, limit }, tenantSlug));
    const found = pages
      .flat()
      .toSorted((left, right) => (left.server_id < right.server_id ? -1 : 1))
      .slice(0, limit);
    if (found.length === 0 && tenantSlug !== undefined) await this.#requirePublic(tenantSlug);
    return this.#page(
      await this.#reachable(found.slice(0, query.limit)),
      found.map((row) => row.server_id),
      query,
    );
  }

  /** A tenant that has made nothing public has no public registry, like one that does not exist. @throws AppError `not_found` */
  async #requirePublic(slug: string): Promise<void> {
    const known = await this.database.everywhere((tx) => this.registry.isPublic(tx, slug));
    if (!known.includes(true))
      throw new AppError('not_found', { message: `There is no public registry of a tenant ${slug} here.` });
  }

  /** Asks each tenant what of its public servers is reachable, in the order given. */
  async #reachable(found: readonly PublicRow[]): Promise<ListedRow[]> {
    const byTenant = Map.groupBy(found, (row) => row.tenant_id);
    const rows: ListedRow[] = [];
    for (const [tenantId, servers] of byTenant) {
      const ids = servers.map((row) => row.server_id);
      const reachable = this.database.asTenant(tenantId, (tx) => this.registry.publicOf(tx, tenantId, ids));
      rows.push(...((await unlessAway(reachable)) ?? []));
    }
    const places = new Map(found.map((row, place) => [row.server_id, place]));
    return rows.toSorted((a, b) => (places.get(a.server_id) ?? 0) - (places.get(b.server_id) ?? 0));
  }

  /** `ids`: of the page's servers and, where there is more, of one after them. */
  #page(rows: readonly ListedRow[], ids: readonly string[], { limit, version, updated_since: since }: ListQuery): Page {
    const shown = new Set(ids.slice(0, limit));
    const servers = rows
      .filter((row) => shown.has(row.server_id) && (version === undefined || row.major === null))
      .filter((row) => since === undefined || row.updated_at >= new Date(since))
      .map((row) => listedServer(row, this.config.WHARF_PUBLIC_URL));
    const last = ids.at(limit - 1);
    const next = ids.length > limit && last !== undefined ? { nextCursor: cursorTo(last) } : {};
    return { servers, metadata: { count: servers.length, ...next } };
  }
}

function pageOfVersions(servers: Listed[]): Page {
  return { servers, metadata: { count: servers.length } };
}

function versionIn(servers: readonly Listed[], name: string, version: string): Version {
  const found = version === 'latest' ? servers[0] : servers.find(({ server }) => server.version === version);
  if (found === undefined)
    throw new AppError('not_found', { message: `${name} is not reachable in version ${version}.` });
  return found;
}
