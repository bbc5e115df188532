import { Inject, Injectable } from '@nestjs/common';
import { findBlob } from '#libs/blobs';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { estimateTokens } from '#libs/protocol';
import { diffReleases, type ListedTool, type ToolChange } from '#libs/release-diff';
import type { TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { ReleasesRepository, type ReleaseRow } from '../releases/releases.repository.js';
import { toolsOf } from '../releases/release-view.js';
import { ServersRepository } from '../servers/servers.repository.js';
import type { diffRelease } from './release-diffs.schema.js';

type Input = Pick<InputOf<typeof diffRelease>, 'params' | 'query'>;

/** Compares releases of a server. */
@Injectable()
export class ReleaseDiffsService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(ServersRepository) private readonly servers: ServersRepository,
    @Inject(ReleasesRepository) private readonly releases: ReleasesRepository,
  ) {}

  /** @throws AppError `not_found`, or `conflict` where nothing is live to compare with */
  async diff({ tenantId }: TenantCaller, { params, query }: Input): Promise<AnswerOf<typeof diffRelease>> {
    const { from, to } = await this.database.asTenant(tenantId, async (tx) => {
      const server = await this.servers.find(tx, tenantId, params.server);
      if (server === undefined) throw new AppError('not_found');
      const read = (id: string) => this.#read(tx, tenantId, server.id, id);
      const right = await read(params.release);
      const left = query.from ?? server.live?.id;
      if (left === undefined) throw nothingLive();
      return { from: await read(left), to: right };
    });
    const { effect, added, removed, changed } = diffReleases(from.tools, to.tools);
    return {
      diff: {
        from: { id: from.row.id, number: from.row.number },
        to: { id: to.row.id, number: to.row.number },
        effect,
        added: [...added],
        removed: [...removed],
        changed: changed.map(shown),
        list_tokens: { before: from.row.report.listTokens, after: to.row.report.listTokens },
        tool_tokens: tokenChanges(costs(from.tools), costs(to.tools)),
      },
    };
  }

  async #read(
    tx: Transaction,
    tenantId: string,
    serverId: string,
    id: string,
  ): Promise<{ row: ReleaseRow; tools: ListedTool[] }> {
    const row = await this.releases.find(tx, tenantId, serverId, id);
    const manifest = row === undefined ? undefined : await findBlob(tx, tenantId, row.digest);
    if (row === undefined || manifest === undefined) throw new AppError('not_found');
    return { row, tools: toolsOf(manifest) };
  }
}

function costs(tools: readonly ListedTool[]): ReadonlyMap<string, number> {
  return new Map(tools.map((tool) => [tool.name, estimateTokens(JSON.stringify(tool))]));
}

function tokenChanges(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>) {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name) => ({ name, before: before.get(name) ?? null, after: after.get(name) ?? null }))
    .filter((change) => change.before !== change.after);
}

function shown({ description, title, annotations, meta, input, output, ...change }: ToolChange) {
  return {
    ...change,
    input: [...input],
    output: [...output],
    description: description ?? null,
    title: title ?? null,
    annotations: annotations ?? null,
    meta: meta ?? null,
  };
}

function nothingLive(): AppError {
  return new AppError('conflict', {
    message: 'No release of this server is live. Name the release to compare with as `from`.',
  });
}
