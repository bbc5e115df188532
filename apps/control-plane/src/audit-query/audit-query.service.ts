import { Inject, Injectable } from '@nestjs/common';
import { openRecords } from '#libs/audit';
import type { Database } from '#libs/database';
import type { PersonKeys } from '#libs/secrets';
import type { TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { PERSON_KEYS, TENANT_DATABASE } from '../platform/tokens.js';
import { AuditQueryRepository } from './audit-query.repository.js';
import type { queryAudit } from './audit-query.schema.js';

type Query = InputOf<typeof queryAudit>['query'];

/** Shows a tenant its audit log. */
@Injectable()
export class AuditQueryService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(AuditQueryRepository) private readonly records: AuditQueryRepository,
    @Inject(PERSON_KEYS) private readonly persons: PersonKeys,
  ) {}

  async query({ tenantId }: TenantCaller, query: Query): Promise<AnswerOf<typeof queryAudit>> {
    const filter = { ...query, actor: actorFilter(query.actor), limit: query.limit + 1 };
    return this.database.asTenant(tenantId, async (tx) => {
      const page = pageOf(await this.records.list(tx, tenantId, filter), query.limit);
      return { records: await openRecords(tx, tenantId, this.persons, page.rows), next_cursor: page.next };
    });
  }
}

/** `{id}` or `{kind}:{id}`. */
export function actorFilter(text: string | undefined): { kind?: string; id: string } | undefined {
  if (text === undefined) return undefined;
  const [kind, id] = text.split(':', 2);
  return id === undefined || kind === undefined ? { id: text } : { kind, id };
}
