import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { enqueue, evictTenantJob } from '#libs/jobs';
import { actorOf, doneBy, type TenantCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { tellOfDeletion, type OwnerNews } from '../platform-tenants/owner-news.js';
import { CONFIG, TENANT_DATABASE } from '../platform/tokens.js';
import { alreadyLeaving, deletionView, nothingToRestore, operatorsToRestore } from './deletion-view.js';
import { TenantDeletionRepository, type DeletionRow } from './tenant-deletion.repository.js';
import type { deleteTenant, restoreTenant, showDeletion } from './tenant-deletion.schema.js';

/** What owners decide about the end of their tenant. */
@Injectable()
export class TenantDeletionService {
  constructor(
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(TenantDeletionRepository) private readonly deletions: TenantDeletionRepository,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /** @throws AppError `invalid_params` where another slug is confirmed, `conflict` where the tenant is to be deleted already */
  async request(
    caller: TenantCaller,
    { confirm, reason }: InputOf<typeof deleteTenant>['query'],
  ): Promise<AnswerOf<typeof deleteTenant>> {
    const { tenantId, tenantSlug } = caller;
    if (confirm !== tenantSlug) throw notConfirmed();
    const answer = await this.database.asTenant(tenantId, async (tx) => {
      const asked = { reason, requestedBy: actorOf(caller), graceDays: undefined };
      const row = await this.deletions.request(tx, tenantId, asked);
      if (row === undefined) throw alreadyLeaving();
      await enqueue(tx, tenantId, evictTenantJob, { tenantId });
      const dueAt = row.due_at.toISOString();
      await this.#tell(tx, tenantId, { kind: 'deletion_requested', by: 'owner', due_at: dueAt });
      const details = { due_at: dueAt, reason };
      const entry = { event: 'tenant.deletion_requested', target: `tenant:${tenantId}`, details } as const;
      await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
      return this.#view(row);
    });
    await this.database.showTenant(tenantId);
    return answer;
  }

  async show({ tenantId }: TenantCaller): Promise<AnswerOf<typeof showDeletion>> {
    return this.database.asTenant(tenantId, async (tx) => {
      const row = await this.deletions.findLast(tx, tenantId);
      const held = await this.deletions.isSeenHeld(tx, tenantId);
      return { deletion: row === undefined ? null : this.#view(asSeen(row, held)), legal_hold: held };
    });
  }

  /** @throws AppError `conflict` where nothing waits to be deleted, `forbidden` where an operator asked for it */
  async restore(caller: TenantCaller): Promise<AnswerOf<typeof restoreTenant>> {
    const { tenantId } = caller;
    const answer = await this.database.asTenant(tenantId, async (tx) => {
      if (!(await this.deletions.cancel(tx, tenantId, 'the tenant’s own'))) throw await this.#whyNot(tx, tenantId);
      await this.#tell(tx, tenantId, { kind: 'restored' });
      await appendAudit(tx, tenantId, [
        doneBy(caller, { event: 'tenant.restored', target: `tenant:${tenantId}`, details: {} }),
      ]);
      return this.#last(tx, tenantId);
    });
    await this.database.showTenant(tenantId);
    return answer;
  }

  async #tell(tx: Transaction, tenantId: string, news: OwnerNews['news']): Promise<void> {
    const ofDay = await this.deletions.countOfDay(tx, tenantId);
    await tellOfDeletion(tx, tenantId, { news, ofDay, contact: this.config.WHARF_OPERATOR_CONTACT });
  }

  async #last(tx: Transaction, tenantId: string): Promise<AnswerOf<typeof restoreTenant>> {
    const row = await this.deletions.findLast(tx, tenantId);
    if (row === undefined) throw nothingToRestore();
    return this.#view(row);
  }

  async #whyNot(tx: Transaction, tenantId: string): Promise<AppError> {
    const last = await this.deletions.findLast(tx, tenantId);
    const held = await this.deletions.isSeenHeld(tx, tenantId);
    if (last === undefined || asSeen(last, held).state !== 'waiting') return nothingToRestore();
    return operatorsToRestore(this.config.WHARF_OPERATOR_CONTACT);
  }

  #view(row: DeletionRow): AnswerOf<typeof restoreTenant> {
    return deletionView(row, this.config.WHARF_OPERATOR_CONTACT);
  }
}

/** What a tenant sees from the due date on is a deletion in progress, unless it may know that something holds it. */
function asSeen(row: DeletionRow, isSeenHeld: boolean): DeletionRow {
  return row.state === 'waiting' && row.is_due && !isSeenHeld ? { ...row, state: 'deleting' } : row;
}

function notConfirmed(): AppError {
  return new AppError('invalid_params', {
    message: '`confirm` is not the slug of this tenant. Name the tenant that is to be deleted.',
    problems: [{ pointer: '/confirm', message: 'not this tenant’s slug' }],
  });
}
