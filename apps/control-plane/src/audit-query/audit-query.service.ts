import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import type { TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { TENANT_DATABASE } from '../platform/tokens.js';
import { AuditQueryRepository } from './audit-query.repository.js';
import type { queryAudit } from './audit-query.schema.js';

type Query = InputOf<typeof queryAudit>['query'];

/** Shows a tenant its audit log. */
@Injectable()
export class AuditQueryService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(AuditQueryRepository) private readonly records: AuditQueryRepository,
  ) {}

  async query({ tenantId }: TenantCaller, query: Query): Promise<AnswerOf<typeof queryAudit>> {
    const filter = { ...query, actor: actorFilter(query.actor), limit: query.limit + 1 };
    const rows = await this.database.asTenant(tenantId, (tx) => this.records.list(tx, tenantId, filter));
    const page = pageOf(rows, query.limit);
    return { records: page.rows.map((row) => ({ ...row, at: row.at.toISOString() })), next_cursor: page.next };
  }
}

function actorFilter(text: string | undefined): { kind?: string; id: string } | undefined {
  if (text === undefined) return undefined;
  const [kind, id] = text.split(':', 2);
  return id === undefined || kind === undefined ? { id: text } : { kind, id };
}
