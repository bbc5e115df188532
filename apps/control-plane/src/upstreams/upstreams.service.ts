import { Inject, Injectable } from '@nestjs/common';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import type { RuntimeClient } from '#libs/protocol';
import { findOpenRollout } from '#libs/rollouts';
import type { TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { RUNTIME, TENANT_DATABASE } from '../platform/tokens.js';
import { ServersRepository } from '../servers/servers.repository.js';
import { upstreamOfBoth } from './merged-upstream.js';
import { originsOf } from './release-origins.js';
import type { listUpstreams } from './upstreams.schema.js';

/** Asks the worker-runtimes how a server's upstreams are doing. */
@Injectable()
export class UpstreamsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(RUNTIME) private readonly runtime: RuntimeClient,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
  ) {}

  /** @throws AppError `not_found`, or `unavailable` when no worker-runtime answers */
  async list(
    { tenantId }: TenantCaller,
    { params, query }: InputOf<typeof listUpstreams>,
  ): Promise<AnswerOf<typeof listUpstreams>> {
    const { releases, origins: all } = await this.#servedBy(tenantId, params.server);
    const { rows: origins, next } = pageByKey(all, (origin) => origin, 'ascending', query);
    if (origins.length === 0) return { upstreams: [], next_cursor: next, complete: true };
    const { seen, complete } = await this.runtime.upstreams(tenantId, origins, { server: params.server, releases });
    const upstreams = origins.map((origin) => upstreamOfBoth(origin, releases[1], seen.flat()));
    return { upstreams, next_cursor: next, complete };
  }

  /** The digests of a server's live release and of a candidate that is another one, and the origins that they may call. */
  async #servedBy(tenantId: string, slug: string): Promise<{ releases: string[]; origins: string[] }> {
    return this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.find(tx, tenantId, slug);
      if (server === undefined) throw new AppError('not_found');
      if (server.live === null) return { releases: [], origins: [] };
      const candidate = await findCandidateDigest(tx, tenantId, server.id);
      const releases = [...new Set([server.live.digest, ...(candidate === undefined ? [] : [candidate])])];
      const origins: string[] = [];
      for (const digest of releases) origins.push(...(await originsOf(tx, tenantId, digest)));
      return { releases, origins: [...new Set(origins)].sort() };
    });
  }
}

async function findCandidateDigest(tx: Transaction, tenantId: string, serverId: string): Promise<string | undefined> {
  const rollout = await findOpenRollout(tx, tenantId, serverId);
  if (rollout === undefined) return undefined;
  const rows: Array<{ digest: string }> = await tx.query(
    `select digest from releases where tenant_id = $1 and id = $2`,
    [tenantId, rollout.candidateReleaseId],
  );
  return rows[0]?.digest;
}
