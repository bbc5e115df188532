import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { findBlob } from '#libs/blobs';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { parseJson } from '#libs/http';
import type { RuntimeClient } from '#libs/protocol';
import type { TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { RUNTIME, TENANT_DATABASE } from '../platform/tokens.js';
import { ServersRepository } from '../servers/servers.repository.js';
import { mergedUpstream } from './merged-upstream.js';
import type { listUpstreams } from './upstreams.schema.js';

const originsSchema = z.object({ origins: z.array(z.url()) });

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
    const all = await this.#originsOf(tenantId, params.server);
    const { rows: origins, next } = pageByKey(all, (origin) => origin, 'ascending', query);
    if (origins.length === 0) return { upstreams: [], next_cursor: next, complete: true };
    const { seen, complete } = await this.runtime.upstreams(tenantId, origins);
    const upstreams = origins.map((origin) =>
      mergedUpstream(
        origin,
        seen.flatMap((states) => states.filter((state) => state.origin === origin)),
      ),
    );
    return { upstreams, next_cursor: next, complete };
  }

  /** The origins that a server's live release may call. */
  async #originsOf(tenantId: string, slug: string): Promise<string[]> {
    const manifest = await this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.find(tx, tenantId, slug);
      if (server === undefined) throw new AppError('not_found');
      return server.live === null ? undefined : findBlob(tx, tenantId, server.live.digest);
    });
    if (manifest === undefined) return [];
    const parsed = originsSchema.parse(parseJson(manifest, { depthMax: 512, keysMax: 10_000_000 }));
    return [...new Set(parsed.origins.map((origin) => new URL(origin).origin))].sort();
  }
}
