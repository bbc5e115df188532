import { Inject, Injectable } from '@nestjs/common';
import { appendAudit, type AuditEvent, type EventDetails } from '#libs/audit';
import { regionOf } from '#libs/config';
import type { ActNote, Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { enqueue, evictTenantJob } from '#libs/jobs';
import { actorOf, doneBy, type OperatorCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { newestFirst, pageOf } from '../paging/cursor.js';
import { tellOfDeletion, type OwnerNews } from '../platform-tenants/owner-news.js';
import type { OperatedTenantRow } from '../platform-tenants/platform-tenants.repository.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { requireRegion } from '../platform/regions.js';
import { CONFIG, OPERATOR_DATABASE } from '../platform/tokens.js';
import { alreadyLeaving, deletionView, nothingToRestore } from '../tenant-deletion/deletion-view.js';
import { TenantDeletionRepository } from '../tenant-deletion/tenant-deletion.repository.js';
import { PlatformDeletionsRepository, type OperatedDeletionRow } from './platform-deletions.repository.js';
import type { assignRegion, cancelDeletion, listDeletions, requestDeletion } from './platform-deletions.schema.js';

const GRACE_DAYS_OF_KEYS = 1;

type DeletionAnswer = AnswerOf<typeof cancelDeletion>;
type Why = InputOf<typeof cancelDeletion>['body'];

/** What an operator does to a tenant's life, and under which name it is remembered. */
interface Act {
  readonly slug: string;
  readonly action: string;
  readonly reason: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Operators' work on the end of tenants, and on where they are served. */
@Injectable()
export class PlatformDeletionsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(TenantDeletionRepository) private readonly deletions: TenantDeletionRepository,
    @Inject(PlatformDeletionsRepository) private readonly rows: PlatformDeletionsRepository,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  async list(
    caller: OperatorCaller,
    query: InputOf<typeof listDeletions>['query'],
  ): Promise<AnswerOf<typeof listDeletions>> {
    const found = await this.database.asOperatorEverywhere(lookOf(caller, 'tenant_deletions.list'), (tx) =>
      this.rows.list(tx, { ...query, limit: query.limit + 1 }),
    );
    const rows = newestFirst(found.flat()).slice(0, query.limit + 1);
    const page = pageOf(rows, query.limit);
    return { deletions: page.rows.map((row) => this.#view(row)), next_cursor: page.next };
  }

  /**
   * @throws AppError `not_found`, `invalid_params` where another slug is confirmed, `conflict`, or `forbidden` for a key that
   *   leaves less time than the plan does
   */
  async request(
    caller: OperatorCaller,
    slug: string,
    { confirm, grace_days: graceDays, ...why }: InputOf<typeof requestDeletion>['body'],
  ): Promise<DeletionAnswer> {
    const { reason } = why;
    return this.#act(caller, { slug, reason, action: 'tenants.delete' }, async (tx, id, { before }) => {
      if (confirm !== before.slug) throw notConfirmed();
      await this.#requireTime(tx, caller, id, graceDays);
      const row = await this.deletions.request(tx, id, { reason, requestedBy: actorOf(caller), graceDays });
      if (row === undefined) throw alreadyLeaving();
      await enqueue(tx, id, evictTenantJob, { tenantId: id });
      const dueAt = row.due_at.toISOString();
      await this.#tell(tx, id, { kind: 'deletion_requested', by: 'operator', due_at: dueAt }, why);
      const details = { due_at: dueAt, reason };
      await this.#note(tx, caller, id, { event: 'tenant.deletion_requested', details });
      return this.#last(tx, id);
    });
  }

  /** @throws AppError `not_found`, `conflict` where nothing waits to be deleted */
  async cancel(caller: OperatorCaller, slug: string, why: Why): Promise<DeletionAnswer> {
    const { reason } = why;
    return this.#act(caller, { slug, reason, action: 'tenants.restore' }, async (tx, id) => {
      if (!(await this.deletions.cancel(tx, id, 'anybody’s'))) throw nothingToRestore();
      await this.#tell(tx, id, { kind: 'restored' }, why);
      await this.#note(tx, caller, id, { event: 'tenant.restored', details: { reason } });
      return this.#last(tx, id);
    });
  }

  /** @throws AppError `not_found` */
  async assignRegion(
    caller: OperatorCaller,
    slug: string,
    { region, reason }: InputOf<typeof assignRegion>['body'],
  ): Promise<void> {
    // A region that nobody serves would end every call of the tenant.
    if (region !== null) requireRegion(region, regionOf(this.config));
    await this.#act(
      caller,
      { slug, reason, action: 'tenants.assign_region', details: { region } },
      async (tx, id, { before, note }) => {
        if (before.home_region === region) return note.unchanged();
        await this.rows.setRegion(tx, id, region);
        if (region !== null) await enqueue(tx, id, evictTenantJob, { tenantId: id });
        await this.#note(tx, caller, id, { event: 'tenant.region_assigned', details: { region, reason } });
      },
    );
  }

  async #act<Result>(
    caller: OperatorCaller,
    { slug, ...act }: Act,
    work: (tx: Transaction, tenantId: string, of: { before: OperatedTenantRow; note: ActNote }) => Promise<Result>,
  ): Promise<Result> {
    const { id } = await this.tenants.get(slug);
    return this.database.asOperator(actOf(caller, { ...act, tenantId: id }), async (tx, note) => {
      const before = await this.tenants.enter(tx, id);
      return work(tx, id, { before, note });
    });
  }

  /** What cannot be taken back any more is for who has signed in: a key leaves the days of the plan, and one at least. */
  async #requireTime(tx: Transaction, { credential }: OperatorCaller, id: string, days?: number): Promise<void> {
    if (credential.kind !== 'key') return;
    const ofPlan = await this.rows.graceDaysOf(tx, id);
    if ((days ?? ofPlan) < Math.max(ofPlan, GRACE_DAYS_OF_KEYS)) throw tooSoon(ofPlan);
  }

  async #tell(tx: Transaction, tenantId: string, news: OwnerNews['news'], why: Why): Promise<void> {
    const ofDay = await this.deletions.countOfDay(tx, tenantId);
    await tellOfDeletion(tx, tenantId, { news, ofDay, contact: this.config.WHARF_OPERATOR_CONTACT, ...why });
  }

  async #note<Event extends AuditEvent>(
    tx: Transaction,
    caller: OperatorCaller,
    tenantId: string,
    event: EventDetails<Event>,
  ): Promise<void> {
    await appendAudit(tx, tenantId, [doneBy(caller, { ...event, target: `tenant:${tenantId}` })]);
  }

  async #last(tx: Transaction, tenantId: string): Promise<DeletionAnswer> {
    const row = await this.rows.findLast(tx, tenantId);
    if (row === undefined) throw new AppError('not_found');
    return this.#view(row);
  }

  #view(row: OperatedDeletionRow): DeletionAnswer {
    const { tenant_id: id, slug, step, started_at: startedAt, held, receipt } = row;
    return {
      ...deletionView(row, this.config.WHARF_OPERATOR_CONTACT),
      tenant: { id, slug },
      step,
      started_at: startedAt?.toISOString() ?? null,
      legal_hold: held,
      receipt,
    };
  }
}

function tooSoon(ofPlan: number): AppError {
  return new AppError('forbidden', {
    message:
      `A key deletes a tenant in no less than the days of its plan (${ofPlan}), and in no less than ${GRACE_DAYS_OF_KEYS}. ` +
      'Name more `grace_days`, or sign in with POST /admin/v1/sign-in and ask again.',
  });
}

function notConfirmed(): AppError {
  return new AppError('invalid_params', {
    message: '`confirm` is not the slug of the tenant in the path. Name the tenant that is to be deleted twice.',
    problems: [{ pointer: '/confirm', message: 'not this tenant’s slug' }],
  });
}
