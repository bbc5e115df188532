import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { ResultGuard } from '#libs/protocol';

/** A release as its server refers to it. */
export interface ReleaseReference {
  readonly id: string;
  readonly number: number;
  readonly digest: string;
}

/** A server with the releases it refers to. */
export interface ServerRow {
  readonly id: string;
  readonly slug: string;
  /** Null in production. */
  readonly environment: string | null;
  readonly name: string;
  readonly stale_answers: boolean;
  readonly stale_answers_max_age_seconds: number;
  readonly records_content: boolean;
  readonly writes: boolean;
  readonly asks_for: 'read' | 'write';
  readonly tool_groups: Record<string, string[]>;
  readonly exchange_clients: string[];
  readonly exchange_servers: string[];
  readonly sse_transport: boolean;
  readonly public_lists: boolean;
  /** Null for as many as the plan allows. */
  readonly inline_result_bytes: number | null;
  readonly approves_destructive: boolean;
  readonly result_guard: ResultGuard | null;
  readonly created_at: Date;
  readonly live: ReleaseReference | null;
  readonly previous: ReleaseReference | null;
}

/** Whether old answers may stand in, and how old; an age that is left out stays. */
export interface StaleAnswersChoice {
  readonly enabled: boolean;
  readonly max_age_seconds?: number | undefined;
}

/** Who may do what at a server; what is left out stays. */
export interface AccessChoice {
  readonly writes?: boolean | undefined;
  readonly asksFor?: 'read' | 'write' | undefined;
  readonly toolGroups?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly exchangeClients?: readonly string[] | undefined;
  readonly exchangeServers?: readonly string[] | undefined;
}

/** How agents may reach a server, what intermediaries may keep, what results show; what is left out stays. */
export interface TransportChoice {
  readonly sseTransport?: boolean | undefined;
  readonly publicLists?: boolean | undefined;
  readonly inlineResultBytes?: number | null | undefined;
  readonly approvesDestructive?: boolean | undefined;
  readonly resultGuard?: ResultGuard | null | undefined;
}

/** The part of a server that publishing and rolling back work on. */
export interface LockedServer {
  readonly id: string;
  readonly live_release_id: string | null;
  readonly previous_release_id: string | null;
}

const SERVER = `select s.id, s.slug, s.environment, s.name, s.stale_answers, s.stale_answers_max_age_seconds, s.records_content,
  s.writes, s.asks_for, s.tool_groups, s.exchange_clients, s.exchange_servers, s.sse_transport, s.public_lists,
  s.inline_result_bytes, s.approves_destructive, s.result_guard, s.created_at,
  case when l.id is not null then jsonb_build_object('id', l.id, 'number', l.number, 'digest', l.digest) end as live,
  case when p.id is not null then jsonb_build_object('id', p.id, 'number', p.number, 'digest', p.digest) end as previous
  from servers s
  left join releases l on l.tenant_id = s.tenant_id and l.id = s.live_release_id
  left join releases p on p.tenant_id = s.tenant_id and p.id = s.previous_release_id`;

/** A tenant's servers. */
@Injectable()
export class ServersRepository {
  async list(
    tx: Transaction,
    tenantId: string,
    page: { limit: number; cursor?: string | undefined; search?: string | undefined },
  ): Promise<ServerRow[]> {
    return tx.query(
      `${SERVER} where s.tenant_id = $1 and ($2::uuid is null or s.id < $2)
         and ($4::text is null or strpos(s.slug, lower($4)) > 0 or strpos(lower(s.name), lower($4)) > 0)
       order by s.id desc limit $3`,
      [tenantId, page.cursor ?? null, page.limit, page.search ?? null],
    );
  }

  async find(tx: Transaction, tenantId: string, slug: string): Promise<ServerRow | undefined> {
    const rows: ServerRow[] = await tx.query(`${SERVER} where s.tenant_id = $1 and s.slug = $2`, [tenantId, slug]);
    return rows[0];
  }

  /** The server, kept from changing until the transaction ends. */
  async lock(tx: Transaction, tenantId: string, slug: string): Promise<LockedServer | undefined> {
    const rows: LockedServer[] = await tx.query(
      `select id, live_release_id, previous_release_id from servers where tenant_id = $1 and slug = $2 for update`,
      [tenantId, slug],
    );
    return rows[0];
  }

  /** How many servers the tenant has; concurrent creations of one tenant wait for each other. */
  async count(tx: Transaction, tenantId: string): Promise<number> {
    await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [`servers:${tenantId}`]);
    const rows: [{ count: number }] = await tx.query(
      `select count(*)::int as count from servers where tenant_id = $1`,
      [tenantId],
    );
    return rows[0].count;
  }

  async insert(tx: Transaction, tenantId: string, of: Pick<ServerRow, 'id' | 'slug' | 'name'>): Promise<void> {
    const values = [tenantId, of.id, of.slug, of.name];
    await tx.query(`insert into servers (tenant_id, id, slug, name) values ($1, $2, $3, $4)`, values);
  }

  async point(tx: Transaction, tenantId: string, server: LockedServer): Promise<void> {
    await tx.query(
      `update servers set live_release_id = $3, previous_release_id = $4 where tenant_id = $1 and id = $2`,
      [tenantId, server.id, server.live_release_id, server.previous_release_id],
    );
  }

  /** Says whether the last good answers of read-only tools may stand in for a failing upstream, and how old they may be. */
  async setStaleAnswers(tx: Transaction, tenantId: string, id: string, choice: StaleAnswersChoice): Promise<void> {
    await tx.query(
      `update servers set stale_answers = $3, stale_answers_max_age_seconds = coalesce($4, stale_answers_max_age_seconds)
       where tenant_id = $1 and id = $2`,
      [tenantId, id, choice.enabled, choice.max_age_seconds ?? null],
    );
  }

  /** Its name, and whether the audit log holds what calls ask and are answered, redacted; null leaves it. */
  async describe(tx: Transaction, tenantId: string, id: string, of: [string | null, boolean | null]): Promise<void> {
    const sets = 'name = coalesce($3, name), records_content = coalesce($4, records_content)';
    await tx.query(`update servers set ${sets} where tenant_id = $1 and id = $2`, [tenantId, id, ...of]);
  }

  async setAccess(tx: Transaction, tenantId: string, id: string, choice: AccessChoice): Promise<void> {
    await tx.query(
      `update servers set writes = coalesce($3, writes), tool_groups = coalesce($4, tool_groups),
         exchange_clients = coalesce($5, exchange_clients), asks_for = coalesce($6, asks_for),
         exchange_servers = coalesce($7, exchange_servers)
       where tenant_id = $1 and id = $2`,
      [
        tenantId,
        id,
        choice.writes ?? null,
        choice.toolGroups === undefined ? null : JSON.stringify(choice.toolGroups),
        choice.exchangeClients ?? null,
        choice.asksFor ?? null,
        choice.exchangeServers ?? null,
      ],
    );
  }

  /** Which of these slugs name no other server of the tenant. */
  async notOthers(tx: Transaction, tenantId: string, slug: string, named: readonly string[]): Promise<string[]> {
    const rows: Array<{ slug: string }> = await tx.query(
      `select n.slug from unnest($3::text[]) as n(slug)
       where n.slug = $2 or not exists (select from servers s where s.tenant_id = $1 and s.slug = n.slug)`,
      [tenantId, slug, named],
    );
    return rows.map((row) => row.slug);
  }

  /** Which of these the tenant registered as no client with credentials: only those may exchange tokens. */
  async notRegistered(tx: Transaction, tenantId: string, named: readonly string[]): Promise<string[]> {
    const [row]: [{ ids: string[] }] = await tx.query(
      `select coalesce(array_agg(n.id), '{}') as ids from unnest($2::text[]) as n(id)
       where not exists (select from clients c where c.tenant_id = $1 and c.id = n.id and c.kind <> 'public')`,
      [tenantId, named],
    );
    return row.ids;
  }

  /** Which of these are no clients that registered themselves, which are shared rows. */
  async notSelfRegistered(shared: Transaction, named: readonly string[]): Promise<string[]> {
    const [row]: [{ ids: string[] }] = await shared.query(
      `select coalesce(array_agg(n.id), '{}') as ids from unnest($1::text[]) as n(id) where not exists (select from oauth_artifacts a
         where a.model = 'Client' and a.expires_at > now() and a.id_hash = encode(sha256(convert_to(n.id, 'UTF8')), 'hex'))`,
      [named],
    );
    return row.ids;
  }

  async setTransport(tx: Transaction, tenantId: string, id: string, choice: TransportChoice): Promise<void> {
    await tx.query(
      `update servers set sse_transport = coalesce($3, sse_transport), public_lists = coalesce($4, public_lists),
         inline_result_bytes = case when $5 then $6::integer else inline_result_bytes end,
         approves_destructive = coalesce($7, approves_destructive),
         result_guard = case when $8 then $9::jsonb else result_guard end
       where tenant_id = $1 and id = $2`,
      [
        tenantId,
        id,
        choice.sseTransport ?? null,
        choice.publicLists ?? null,
        choice.inlineResultBytes !== undefined,
        choice.inlineResultBytes ?? null,
        choice.approvesDestructive ?? null,
        choice.resultGuard !== undefined,
        choice.resultGuard ? JSON.stringify(choice.resultGuard) : null,
      ],
    );
  }

  /** What the server's releases are made of: their manifests, and what their builds have packed, which nobody uploaded. */
  async releaseDigests(tx: Transaction, tenantId: string, id: string): Promise<string[]> {
    const rows: Array<{ digest: string }> = await tx.query(
      `select digest from releases where tenant_id = $1 and server_id = $2
       union select artefact from releases where tenant_id = $1 and server_id = $2 and kind = 'npm'`,
      [tenantId, id],
    );
    return rows.map((row) => row.digest);
  }

  /** The slugs of its environments. */
  async environmentsOf(tx: Transaction, tenantId: string, id: string): Promise<string[]> {
    const rows: Array<{ slug: string }> = await tx.query(
      `select slug from servers where tenant_id = $1 and production_id = $2 order by slug`,
      [tenantId, id],
    );
    return rows.map(({ slug }) => slug);
  }

  /** Deletes the server and, by its references, its releases. */
  async remove(tx: Transaction, tenantId: string, id: string): Promise<void> {
    await this.point(tx, tenantId, { id, live_release_id: null, previous_release_id: null });
    const [gone]: [Array<{ slug: string }>, number] = await tx.query(
      `delete from servers where tenant_id = $1 and id = $2 returning slug`,
      [tenantId, id],
    );
    // Another server of this name would be passed callers that its tenant never meant for it.
    await tx.query(
      `update servers set exchange_servers = array_remove(exchange_servers, $2)
       where tenant_id = $1 and $2 = any(exchange_servers)`,
      [tenantId, gone[0]?.slug],
    );
  }
}
