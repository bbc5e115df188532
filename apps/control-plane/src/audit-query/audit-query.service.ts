import { LRUCache } from 'lru-cache';
import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, auditCatalogue, openRecords } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import type { PersonKeys } from '#libs/secrets';
import { actorOf, doneBy, type TenantCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { cursorTo, pageOf } from '../paging/cursor.js';
import { PERSON_KEYS, TENANT_DATABASE } from '../platform/tokens.js';
import { asksForSealed, isAskedFor, type AuditFilter } from './audit-filter.js';
import { AuditQueryRepository } from './audit-query.repository.js';
import type { listAuditEvents, queryAudit } from './audit-query.schema.js';

type Query = InputOf<typeof queryAudit>['query'];

const OPENED_MAX = 1_000;
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
    const { limit, cursor, ...filter } = query;
    return this.database.asTenant(tenantId, async (tx) => {
      const page = await this.#page(tx, tenantId, filter, { limit, before: cursor });
      await this.#noteReading(tx, caller);
      return page;
    });
  }

  /**
   * A page; what was let through may end before the page is full, and its cursor goes on from there. Of what is sealed,
   * more is read than a page holds: only once open can it be told what is asked for.
   */
  async #page(
    tx: Transaction,
    tenantId: string,
    filter: AuditFilter,
    { limit, before }: { readonly limit: number; readonly before: string | undefined },
  ): Promise<AnswerOf<typeof queryAudit>> {
    const read = asksForSealed(filter) ? OPENED_MAX : limit + 1;
    const { rows, seenTo } = await this.records.list(tx, tenantId, filter, { limit: read, before });
    const opened = (await openRecords(tx, tenantId, this.persons, rows)).filter((shown) => isAskedFor(filter, shown));
    const { rows: records, next } = pageOf(opened, limit);
    // Short of a full page, there may be more behind what was looked at.
    const goesOn = seenTo === undefined ? null : cursorTo(seenTo);
    return { records: [...records], next_cursor: opened.length > limit ? next : goesOn };
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
