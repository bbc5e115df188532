import { Injectable } from '@nestjs/common';
import type { AuditActor } from '#libs/audit';
import type { Transaction } from '#libs/database';
import { environmentOf, secretPlaceOf, storedSecretName, type BuildReport } from '#libs/protocol';
import type { RELEASE_STATES } from './releases.schema.js';

/** Where a release stands. */
export type ReleaseState = (typeof RELEASE_STATES)[number];

/** A row of `releases`. */
export interface ReleaseRow {
  readonly id: string;
  readonly server_id: string;
  readonly number: number;
  readonly version: string | null;
  readonly kind: string;
  readonly digest: string;
  readonly state: ReleaseState;
  readonly report: BuildReport;
  readonly rejection: unknown;
  readonly verification: { readonly checked_at: string; readonly notes: string[] } | null;
  readonly created_at: Date;
  readonly published_at: Date | null;
}

/** A release to store. */
export interface NewRelease {
  readonly id: string;
  readonly serverId: string;
  readonly version: string | undefined;
  readonly kind: string;
  readonly digest: string;
  /** Digest of the bundle that it runs. */
  readonly artefact: string | undefined;
  readonly state: ReleaseState;
  readonly report: BuildReport;
  /** Which of its tools write, by name. */
  readonly tools: Readonly<Record<string, 'read' | 'write'>>;
  /** Hash of what agents see of each tool, and what it costs them in a list, by name; null where a release from before these were kept is promoted. */
  readonly toolDigests: Readonly<Record<string, string>> | null;
  readonly toolTokens: Readonly<Record<string, number>> | null;
  /** What policies may ask about each tool; null where a release from before this was kept is promoted. */
  readonly toolHints: Readonly<Record<string, Readonly<Record<string, unknown>>>> | null;
  readonly createdBy: AuditActor;
  /** What it was built from, where that is asked again what it offers. */
  readonly source: unknown;
  /** The release of another environment that it is. */
  readonly promotedFrom?: string;
}

const COLUMNS = `id, server_id, number, version, kind, digest, state, report, rejection, verification, created_at, published_at`;

/** A tenant's releases. */
@Injectable()
export class ReleasesRepository {
  async list(
    tx: Transaction,
    tenantId: string,
    page: { serverId: string; limit: number; cursor?: string | undefined },
  ): Promise<ReleaseRow[]> {
    return tx.query(
      `select ${COLUMNS} from releases
       where tenant_id = $1 and server_id = $2 and ($3::uuid is null or id < $3) order by id desc limit $4`,
      [tenantId, page.serverId, page.cursor ?? null, page.limit],
    );
  }

  async find(tx: Transaction, tenantId: string, serverId: string, id: string): Promise<ReleaseRow | undefined> {
    const rows: ReleaseRow[] = await tx.query(
      `select ${COLUMNS} from releases where tenant_id = $1 and server_id = $2 and id = $3`,
      [tenantId, serverId, id],
    );
    return rows[0];
  }

  /** Stores a release under the server's next number; the caller holds the server's lock. */
  async insert(tx: Transaction, tenantId: string, release: NewRelease): Promise<ReleaseRow> {
    const rows: [ReleaseRow] = await tx.query(
      `insert into releases (tenant_id, id, server_id, number, kind, digest, state, report, created_by, artefact, tools, version,
         source, tool_digests, tool_tokens, promoted_from, tool_hints)
       select $1, $2, $3, coalesce(max(number), 0) + 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
       from releases where tenant_id = $1 and server_id = $3
       returning ${COLUMNS}`,
      [
        tenantId,
        release.id,
        release.serverId,
        release.kind,
        release.digest,
        release.state,
        JSON.stringify(release.report),
        JSON.stringify(release.createdBy),
        release.artefact ?? null,
        JSON.stringify(release.tools),
        release.version ?? null,
        release.source === undefined ? null : JSON.stringify(release.source),
        release.toolDigests === null ? null : JSON.stringify(release.toolDigests),
        release.toolTokens === null ? null : JSON.stringify(release.toolTokens),
        release.promotedFrom ?? null,
        release.toolHints === null ? null : JSON.stringify(release.toolHints),
      ],
    );
    if (release.kind === 'remote') await this.#watch(tx, tenantId, release.serverId);
    return rows[0];
  }

  /** Whether a release of the server bears this version; the caller holds the server's lock. */
  async hasVersion(tx: Transaction, tenantId: string, serverId: string, version: string): Promise<boolean> {
    const rows: unknown[] = await tx.query(
      `select from releases where tenant_id = $1 and server_id = $2 and version = $3`,
      [tenantId, serverId, version],
    );
    return rows.length > 0;
  }

  async moveTo(tx: Transaction, tenantId: string, id: string, state: ReleaseState): Promise<void> {
    await tx.query(
      `update releases set state = $3, rejection = null,
         withdrawn_at = case when $3 = 'live' then null else withdrawn_at end
       where tenant_id = $1 and id = $2`,
      [tenantId, id, state],
    );
  }

  /** Takes back what was asked to go live and is not live yet; the job that finds it so does nothing. */
  async withdrawPublishing(tx: Transaction, tenantId: string, serverId: string): Promise<void> {
    await tx.query(
      `update releases set state = case when published_at is null then 'ready' else 'superseded' end
       where tenant_id = $1 and server_id = $2 and state = 'publishing'`,
      [tenantId, serverId],
    );
  }

  /** Which of these secrets the tenant does not have in the environment of a server. */
  async missingSecrets(
    tx: Transaction,
    tenantId: string,
    { server, names }: { readonly server: string; readonly names: readonly string[] },
  ): Promise<string[]> {
    const environment = environmentOf(server);
    const rows: Array<{ name: string }> = await tx.query(
      `select n.name from unnest($2::text[]) as n(name)
       where not exists (select from secrets s where s.tenant_id = $1 and s.name = n.name) order by n.name`,
      [tenantId, names.map((name) => storedSecretName(environment, name))],
    );
    return rows.map((row) => secretPlaceOf(row.name).name);
  }

  /** Has the upstream servers of a server looked at from now on. */
  async #watch(tx: Transaction, tenantId: string, serverId: string): Promise<void> {
    await tx.query(
      `insert into drift_watches (tenant_id, server_id) values ($1, $2) on conflict (tenant_id, server_id) do nothing`,
      [tenantId, serverId],
    );
  }
}
