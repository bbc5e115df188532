import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { ReleaseDiffsService } from '../release-diffs/release-diffs.service.js';
import { ServersRepository, type ServerRow } from '../servers/servers.repository.js';
import { DriftRepository } from './drift.repository.js';
import type { changeDriftPolicy, getCandidate, getDrift, listCandidates } from './drift.schema.js';
import { candidateView, watchView } from './drift-view.js';

type Watched = AnswerOf<typeof getDrift>;

/** Shows what was found at servers' upstreams, and says what is done about it. */
@Injectable()
export class DriftService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(DriftRepository) private readonly drift: DriftRepository,
    @Inject(ReleaseDiffsService) private readonly diffs: ReleaseDiffsService,
  ) {}

  /** @throws AppError `not_found` */
  async get({ tenantId }: TenantCaller, slug: string): Promise<Watched> {
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.#server(tx, tenantId, slug);
      return { drift: watchView(await this.drift.findWatch(tx, tenantId, server.id)) };
    });
  }

  /** @throws AppError `not_found`, `precondition_failed` */
  async setPolicy(
    caller: TenantCaller,
    { params, body: { policy }, precondition }: InputOf<typeof changeDriftPolicy>,
  ): Promise<Watched> {
    const { tenantId } = caller;
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.lock(tx, tenantId, params.server);
      if (server === undefined) throw new AppError('not_found');
      precondition.require(watchView(await this.drift.findWatch(tx, tenantId, server.id)).policy);
      await this.drift.setPolicy(tx, tenantId, server.id, policy);
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'drift_policy.changed', target: `server:${server.id}`, details: { policy } }),
      ]);
      return { drift: watchView(await this.drift.findWatch(tx, tenantId, server.id)) };
    });
  }

  /** @throws AppError `not_found`, or `conflict` where the server has no upstreams to look at */
  async check({ tenantId }: TenantCaller, slug: string): Promise<Watched> {
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.#server(tx, tenantId, slug);
      if (server.live === null || (await this.drift.findWatch(tx, tenantId, server.id)) === undefined) {
        const message = `Server ${slug} has no live release of upstream MCP servers. Publish one first.`;
        throw new AppError('conflict', { message });
      }
      await this.drift.hurry(tx, tenantId, server.id);
      return { drift: watchView(await this.drift.findWatch(tx, tenantId, server.id)) };
    });
  }

  /** @throws AppError `not_found` */
  async list(
    { tenantId }: TenantCaller,
    { params, query }: InputOf<typeof listCandidates>,
  ): Promise<AnswerOf<typeof listCandidates>> {
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.#server(tx, tenantId, params.server);
      const { limit, ...where } = query;
      const rows = await this.drift.list(tx, tenantId, { serverId: server.id, limit: limit + 1, ...where });
      const page = pageOf(rows, limit);
      return { candidates: page.rows.map(candidateView), next_cursor: page.next };
    });
  }

  /** @throws AppError `not_found` */
  async find(
    caller: TenantCaller,
    { server: slug, candidate }: InputOf<typeof getCandidate>['params'],
  ): Promise<AnswerOf<typeof getCandidate>> {
    const { tenantId } = caller;
    const row = await this.database.asTenant(tenantId, async (tx) => {
      const server = await this.#server(tx, tenantId, slug);
      return this.drift.find(tx, tenantId, server.id, candidate);
    });
    if (row === undefined) throw new AppError('not_found');
    const { release_id: release, base_release_id: from, summary } = row;
    const compared =
      release === null
        ? undefined
        : await this.diffs.diff(caller, { params: { server: slug, release }, query: { from } });
    return {
      candidate: candidateView(row),
      diff: compared?.diff ?? null,
      instructions: summary?.instructions ?? null,
    };
  }

  async #server(tx: Transaction, tenantId: string, slug: string): Promise<ServerRow> {
    const server = await this.servers.find(tx, tenantId, slug);
    if (server === undefined) throw new AppError('not_found');
    return server;
  }
}
