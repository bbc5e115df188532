import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';

/** A server's entry, as its tenant wrote it. */
export interface EntryRow {
  readonly server_slug: string;
  readonly visibility: 'tenant' | 'everyone';
  readonly title: string;
  readonly description: string;
  readonly website_url: string | null;
  readonly repository_url: string | null;
  readonly updated_at: Date;
}

/** One reachable version of a listed server. */
export interface ListedRow {
  readonly server_id: string;
  readonly tenant_slug: string;
  readonly server_slug: string;
  readonly title: string;
  readonly description: string;
  readonly website_url: string | null;
  readonly repository_url: string | null;
  readonly sse_transport: boolean;
  readonly version: string;
  /** Null on the server's own URL, which serves the live release. */
  readonly major: number | null;
  readonly published_at: Date;
  readonly updated_at: Date;
}

/** A public server, before its tenant is asked what of it is reachable. */
export interface PublicRow {
  readonly tenant_id: string;
  readonly server_id: string;
}

/** Which servers a page is made of. */
export interface IndexPage {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly search?: string | undefined;
}

const LISTED = `select s.id as server_id, t.slug as tenant_slug, s.slug as server_slug, coalesce(e.title, s.name) as title,
    coalesce(e.description, left(s.name, 100)) as description, e.website_url, e.repository_url, s.sse_transport,
    v.version, v.major, v.published_at, greatest(v.published_at, e.updated_at) as updated_at
  from servers s
  join tenants t on t.id = s.tenant_id and t.status = 'active'
  join releases l on l.tenant_id = s.tenant_id and l.id = s.live_release_id
  left join registry_entries e on e.tenant_id = s.tenant_id and e.server_id = s.id
  join lateral (
    select coalesce(l.version, l.number || '.0.0') as version, null::integer as major,
      coalesce(l.published_at, l.created_at) as published_at
    union all
    select r.version, m.major, coalesce(r.published_at, r.created_at)
    from server_majors m join releases r on r.tenant_id = m.tenant_id and r.id = m.release_id
    where m.tenant_id = s.tenant_id and m.server_id = s.id and m.served_until > now() and m.major is distinct from l.major
  ) v on true
  where s.tenant_id = $1 and s.environment is null and l.id is not null`;

/** The MCP registry: what tenants say of their servers, and which versions of them are reachable. */
@Injectable()
export class RegistryRepository {
  async find(tx: Transaction, tenantId: string, serverId: string): Promise<EntryRow | undefined> {
    const rows: EntryRow[] = await tx.query(
      `select server_slug, visibility, title, description, website_url, repository_url, updated_at
       from registry_entries where tenant_id = $1 and server_id = $2 for update`,
      [tenantId, serverId],
    );
    return rows[0];
  }

  async put(
    tx: Transaction,
    tenant: { readonly id: string; readonly slug: string },
    serverId: string,
    entry: Omit<EntryRow, 'updated_at'>,
  ): Promise<void> {
    await tx.query(
      `insert into registry_entries
         (tenant_id, server_id, tenant_slug, server_slug, visibility, title, description, website_url, repository_url)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       on conflict (tenant_id, server_id) do update set visibility = excluded.visibility, title = excluded.title,
         description = excluded.description, website_url = excluded.website_url,
         repository_url = excluded.repository_url, updated_at = now()`,
      [
        tenant.id,
        serverId,
        tenant.slug,
        entry.server_slug,
        entry.visibility,
        entry.title,
        entry.description,
        entry.website_url,
        entry.repository_url,
      ],
    );
  }

  async remove(tx: Transaction, tenantId: string, serverId: string): Promise<void> {
    await tx.query(`delete from registry_entries where tenant_id = $1 and server_id = $2`, [tenantId, serverId]);
  }

  /** Public servers of all tenants, or of one; in a transaction that is nobody's. */
  async publicPage(
    tx: Transaction,
    { limit, cursor, search }: IndexPage,
    tenantSlug: string | undefined,
  ): Promise<PublicRow[]> {
    return tx.query(
      `select tenant_id, server_id from registry_entries
       where visibility = 'everyone' and ($1::uuid is null or server_id > $1) and ($2::text is null or tenant_slug = $2)
         and ($3::text is null or strpos(lower(tenant_slug || '.' || server_slug || ' ' || title || ' ' || description), lower($3)) > 0)
       order by server_id limit $4`,
      [cursor ?? null, tenantSlug ?? null, search ?? null, limit],
    );
  }

  /** The public server of this name; in a transaction that is nobody's. */
  async findPublic(tx: Transaction, tenantSlug: string, serverSlug: string): Promise<PublicRow | undefined> {
    const rows: PublicRow[] = await tx.query(
      `select tenant_id, server_id from registry_entries
       where visibility = 'everyone' and tenant_slug = $1 and server_slug = $2`,
      [tenantSlug, serverSlug],
    );
    return rows[0];
  }

  /** What is reachable of these servers of one tenant, of those that are public still. */
  async publicOf(tx: Transaction, tenantId: string, serverIds: readonly string[]): Promise<ListedRow[]> {
    return tx.query(
      `${LISTED} and s.id = any($2) and e.visibility = 'everyone' order by s.id, v.major desc nulls first`,
      [tenantId, serverIds],
    );
  }

  /** What is reachable of one of the tenant's servers, with an entry or without. */
  async ownVersions(tx: Transaction, tenantId: string, serverSlug: string): Promise<ListedRow[]> {
    return tx.query(`${LISTED} and s.slug = $2 order by v.major desc nulls first`, [tenantId, serverSlug]);
  }

  /** Whether a tenant of this name has made anything public; in a transaction that is nobody's. */
  async isPublic(tx: Transaction, tenantSlug: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `select from registry_entries where visibility = 'everyone' and tenant_slug = $1 limit 1`,
      [tenantSlug],
    );
    return rows.length > 0;
  }

  /** What is reachable of the tenant's servers, with an entry or without. */
  async ownPage(tx: Transaction, tenantId: string, { limit, cursor, search }: IndexPage): Promise<ListedRow[]> {
    return tx.query(
      `${LISTED} and s.id in (
         select s.id from servers s left join registry_entries e on e.tenant_id = s.tenant_id and e.server_id = s.id
         where s.tenant_id = $1 and s.environment is null and s.live_release_id is not null
           and ($2::uuid is null or s.id > $2)
           and ($3::text is null or strpos(lower(s.slug || ' ' || s.name || ' ' || coalesce(e.title || ' ' || e.description, '')), lower($3)) > 0)
         order by s.id limit $4)
       order by s.id, v.major desc nulls first`,
      [tenantId, cursor ?? null, search ?? null, limit],
    );
  }
}
