import { LRUCache } from 'lru-cache';
import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, auditCatalogue, openRecords } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import type { PersonKeys } from '#libs/secrets';
import { actorOf, doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageOf } from '../paging/cursor.js';
import { PERSON_KEYS, TENANT_DATABASE } from '../platform/tokens.js';
import { AuditQueryRepository } from './audit-query.repository.js';
import type { listAuditEvents, queryAudit } from './audit-query.schema.js';

type Query = InputOf<typeof queryAudit>['query'];

const READERS_MAX = 10_000;
const MINUTE_MS = 60_000;

/** Shows a tenant its audit log. */
@Injectable()
export class AuditQueryService {
  /** Who has read within the last minute, by tenant. */
  readonly #readers = new LRUCache<string, true>({ max: READERS_MAX, ttl: MINUTE_MS });

  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(AuditQueryRepository) private readonly records: AuditQueryRepository,
    @Inject(PERSON_KEYS) private readonly persons: PersonKeys,
  ) {}

  /** Every event that there is. */
  events(): AnswerOf<typeof listAuditEvents> {
    return { events: auditCatalogue() };
  }

  /** A page of records; that somebody reads is itself recorded. */
  async query(caller: TenantCaller, query: Query): Promise<AnswerOf<typeof queryAudit>> {
    const { tenantId } = caller;
    const filter = { ...query, actor: actorFilter(query.actor), limit: query.limit + 1 };
    return this.database.asTenant(tenantId, async (tx) => {
      const page = pageOf(await this.records.list(tx, tenantId, filter), query.limit);
      const records = await openRecords(tx, tenantId, this.persons, page.rows);
      await this.#noteReading(tx, caller);
      return { records, next_cursor: page.next };
    });
  }

  /** Once a minute for each reader, so that whoever follows the log does not fill it. */
  async #noteReading(tx: Transaction, caller: TenantCaller): Promise<void> {
    const { tenantId } = caller;
    const reader = `${tenantId} ${JSON.stringify(actorOf(caller))}`;
    if (this.#readers.has(reader)) return;
    await appendAudit(tx, tenantId, [doneBy(caller, { event: 'audit.read', target: `tenant:${tenantId}` })]);
    this.#readers.set(reader, true);
  }
}

/** `{id}` or `{kind}:{id}`. */
export function actorFilter(text: string | undefined): { kind?: string; id: string } | undefined {
  if (text === undefined) return undefined;
  const [kind, id] = text.split(':', 2);
  return id === undefined || kind === undefined ? { id: text } : { kind, id };
}
