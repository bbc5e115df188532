import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import { findBlob, hasBlob, keepBlob, putBlob } from '#libs/blobs';
import { newId, type Database, type Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { bundleNeedsOf } from '#libs/protocol';
import { actorOf, doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { CallerLogins } from '../own-connections/caller-logins.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { ServersRepository, type LockedServer } from '../servers/servers.repository.js';
import { ReleaseBuilder, type BuiltRelease } from './release-builder.js';
import { ReleasePublisher } from './publishing/release-publisher.js';
import { aliasesOf, npmPackageOf, releaseView, reportView, pinnedTools } from './release-view.js';
import { ReleasesRepository, type ReleaseRow } from './releases.repository.js';
import type { createRelease, getRelease, listReleases } from './releases.schema.js';

type Order = InputOf<typeof createRelease>['body'];

/** Builds and shows the releases of a server. */
@Injectable()
export class ReleasesService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(ReleasesRepository) private readonly releases: ReleasesRepository,
    @Inject(ReleaseBuilder) private readonly builder: ReleaseBuilder,
    @Inject(ReleasePublisher) private readonly publisher: ReleasePublisher,
    @Inject(CallerLogins) private readonly logins: CallerLogins,
  ) {}

  /** Builds outside any transaction, then stores all of it or nothing. @throws AppError as ReleaseBuilder, and `not_found` */
  async create(caller: TenantCaller, slug: string, order: Order): Promise<AnswerOf<typeof createRelease>> {
    const { tenantId } = caller;
    await this.database.asTenant(tenantId, (tx) => this.#getServerId(tx, tenantId, slug));
    const built = await this.builder.build(tenantId, slug, order.source, this.logins.tokensFor(caller));
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.#lock(tx, tenantId, slug);
      const stored = await this.#store(tx, caller, { server, built, order });
      const release = order.publish
        ? await this.publisher.request(tx, caller, { server, release: stored, options: order })
        : stored;
      const missing = await this.releases.missingSecrets(tx, tenantId, {
        server: slug,
        names: built.outline.secretNames,
      });
      return {
        release: releaseView(release),
        report: reportView(built.report),
        tool_tokens: Object.entries(built.prints.toolTokens).map(([name, tokens]) => ({ name, tokens })),
        aliases: aliasesOf({ tenantSlug: caller.tenantSlug, serverSlug: slug }, built.outline.toolNames),
        warnings: missing.map((name) => `There is no secret ${name} yet. Calls that need it fail until it is written.`),
      };
    });
  }

  async list(
    { tenantId }: TenantCaller,
    { params, query }: Pick<InputOf<typeof listReleases>, 'params' | 'query'>,
  ): Promise<AnswerOf<typeof listReleases>> {
    const rows = await this.database.asTenant(tenantId, async (tx) => {
      const serverId = await this.#getServerId(tx, tenantId, params.server);
      return this.releases.list(tx, tenantId, { serverId, limit: query.limit + 1, cursor: query.cursor });
    });
    const page = pageOf(rows, query.limit);
    return { releases: page.rows.map(releaseView), next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async get(
    { tenantId, tenantSlug }: TenantCaller,
    slug: string,
    releaseId: string,
  ): Promise<AnswerOf<typeof getRelease>> {
    const { row, manifest } = await this.database.asTenant(tenantId, async (tx) => {
      const serverId = await this.#getServerId(tx, tenantId, slug);
      const found = await this.releases.find(tx, tenantId, serverId, releaseId);
      if (found === undefined) throw new AppError('not_found');
      return { row: found, manifest: await findBlob(tx, tenantId, found.digest) };
    });
    const pinned = manifest === undefined ? [] : pinnedTools(manifest);
    return {
      release: {
        ...releaseView(row),
        tool_names: pinned.map(({ name }) => name),
        tool_digests: pinned.map(({ name, sha256 }) => ({ name, sha256 })),
        tool_tokens: pinned.map(({ name, tokens }) => ({ name, tokens })),
        aliases: aliasesOf(
          { tenantSlug, serverSlug: slug },
          pinned.map(({ name }) => name),
        ),
        package: npmPackageOf(manifest),
        report: reportView(row.report),
      },
    };
  }

  async #store(
    tx: Transaction,
    caller: TenantCaller,
    { server, built, order: { source, version } }: { server: LockedServer; built: BuiltRelease; order: Order },
  ): Promise<ReleaseRow> {
    const { tenantId } = caller;
    if (version !== undefined && (await this.releases.hasVersion(tx, tenantId, server.id, version))) {
      throw new AppError('conflict', {
        message: `A release of this server is ${version} already. Choose the next version.`,
      });
    }
    const digest = await putBlob(tx, tenantId, 'application/json', built.manifest);
    if (digest !== built.digest) {
      throw new AppError('worker_failed', {
        detail: { reason: 'digest mismatch', stored: digest, built: built.digest },
      });
    }
    const release = await this.releases.insert(tx, tenantId, {
      id: newId(),
      serverId: server.id,
      version,
      kind: source.kind,
      digest,
      artefact: await this.#artefactOf(tx, tenantId, { source, built }),
      state: 'ready',
      report: built.report,
      tools: built.outline.access,
      ...built.prints,
      toolHints: built.outline.hints,
      createdBy: actorOf(caller),
      source: source.kind === 'remote' ? source : undefined,
    });
    const details = { server: server.id, number: release.number, digest, tools: built.report.tools };
    await appendAudit(tx, tenantId, [
      doneBy(caller, { event: 'release.created', target: `release:${release.id}`, details }),
    ]);
    return release;
  }

  /** What the release runs: what the build has packed, which is stored with it, or an uploaded bundle. */
  async #artefactOf(
    tx: Transaction,
    tenantId: string,
    { source, built: { archive, manifest } }: { source: Order['source']; built: BuiltRelease },
  ): Promise<string | undefined> {
    if (source.kind === 'bundle') return this.#getArtefact(tx, tenantId, source.artefact);
    if (archive === undefined) return undefined;
    const { digest } = archive;
    await keepBlob(tx, tenantId, 'application/zip', archive);
    if (digest === bundleNeedsOf(manifest)?.artefact) return digest;
    throw new AppError('worker_failed', { detail: { reason: 'an archive that its manifest does not name', digest } });
  }

  /** The bundle, which somebody may have deleted while it was looked into; the caller holds the blobs' lock. */
  async #getArtefact(tx: Transaction, tenantId: string, digest: string): Promise<string> {
    if (await hasBlob(tx, tenantId, digest)) return digest;
    throw new AppError('conflict', { message: 'The bundle was deleted while it was built. Upload it again.' });
  }

  async #lock(tx: Transaction, tenantId: string, slug: string): Promise<LockedServer> {
    const server = await this.servers.lock(tx, tenantId, slug);
    if (server === undefined) throw new AppError('not_found');
    return server;
  }

  async #getServerId(tx: Transaction, tenantId: string, slug: string): Promise<string> {
    const server = await this.servers.find(tx, tenantId, slug);
    if (server === undefined) throw new AppError('not_found');
    return server.id;
  }
}
