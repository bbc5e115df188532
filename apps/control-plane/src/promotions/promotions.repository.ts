import { Injectable } from '@nestjs/common';
import type { Transaction } from '#libs/database';
import type { ReleaseRow } from '../releases/releases.repository.js';

/** What a release is, beside what every release shows. */
export interface PromotedParts {
  readonly artefact: string | null;
  readonly tools: Readonly<Record<string, 'read' | 'write'>>;
  /** What it was built from, where that is kept. */
  readonly source: unknown;
  readonly toolDigests: Readonly<Record<string, string>> | null;
  readonly toolTokens: Readonly<Record<string, number>> | null;
  readonly toolHints: Readonly<Record<string, Readonly<Record<string, unknown>>>> | null;
}

/** Releases on their way from one environment to another. */
@Injectable()
export class PromotionsRepository {
  async partsOf(tx: Transaction, tenantId: string, { id }: ReleaseRow): Promise<PromotedParts> {
    const rows: [PromotedParts] = await tx.query(
      `select artefact, tools, tool_digests as "toolDigests", tool_tokens as "toolTokens", tool_hints as "toolHints", source from releases where tenant_id = $1 and id = $2`,
      [tenantId, id],
    );
    return rows[0];
  }

  /** The newest release of a server that is this one: of its digest and version, promoted before or built there. */
  async findSame(
    tx: Transaction,
    tenantId: string,
    { serverId, from }: { readonly serverId: string; readonly from: ReleaseRow },
  ): Promise<string | undefined> {
    const rows: Array<{ id: string }> = await tx.query(
      `select id from releases where tenant_id = $1 and server_id = $2 and digest = $3
         and version is not distinct from $4
       order by state = 'live' desc, id desc limit 1`,
      [tenantId, serverId, from.digest, from.version],
    );
    return rows[0]?.id;
  }
}
