import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { appendAudit, type EventDetails } from '#libs/audit';
import type { ActNote, Database, OperatorAct, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { enqueue, evictTenantJob } from '#libs/jobs';
import { doneBy, type OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { emailAddress } from '../signup/signup.schema.js';
import { actOf, lookOf } from '../operators/act.js';
import { pageOf } from '../paging/cursor.js';
import type { ControlPlaneConfig } from '../config.js';
import { CONFIG, OPERATOR_DATABASE } from '../platform/tokens.js';
import { tellOwners } from './owner-news.js';
import { PlatformTenantsRepository, type OperatedTenantRow } from './platform-tenants.repository.js';
import { leaving, ofSharedTier, unknownPlan } from './platform-tenants.errors.js';
import type { listTenants, showTenant, suspendTenant } from './platform-tenants.schema.js';

type TenantAnswer = AnswerOf<typeof showTenant>;
type Why = InputOf<typeof suspendTenant>['body'];

/** What to do to a tenant, and under which names it is remembered. */
interface Change {
  readonly slug: string;
  readonly action: string;
  readonly reason: string;
  /** What the tenant's own log says; the platform's is told the reason apart. */
  readonly recorded: EventDetails<'tenant.suspended' | 'tenant.resumed' | 'tenant.plan_assigned'>;
  /** Makes the change; false where there was nothing to change. */
  apply(tx: Transaction, tenant: OperatedTenantRow): Promise<boolean>;
  /** What is to be so in the common database too, for a tenant that is not at home there. */
  besideHome?(common: Transaction): Promise<void>;
}

/** Something done to a tenant where it is at home, which its own log says with the reason. */
interface TenantAct {
  readonly action: string;
  readonly recorded: EventDetails<'breaker.ordered'>;
}

/** Operators' work on tenants; every change stands in the platform's audit and in the tenant's own. */
@Injectable()
export class PlatformTenantsService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsRepository) private readonly tenants: PlatformTenantsRepository,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  async list(
    caller: OperatorCaller,
    query: InputOf<typeof listTenants>['query'],
  ): Promise<AnswerOf<typeof listTenants>> {
    const address = emailAddress.safeParse(query.q).data;
    // Whose address it was nobody could take out of a log again.
    const details = address === undefined ? {} : { searched: 'address' };
    const look = actOf(caller, { action: 'tenants.list', reason: 'read', details });
    const found = await this.#foundBy(query.q, address);
    const rows = await this.database.asOperator(look, (tx) =>
      this.tenants.list(tx, { ...query, found, limit: query.limit + 1 }),
    );
    const page = pageOf(rows, query.limit);
    const held = await this.#heldOf(page.rows.map(({ id }) => id));
    const tenants = page.rows.map((row) => view({ ...row, legal_hold: held.has(row.id) }));
    return { tenants, next_cursor: page.next };
  }

  /** @throws AppError `not_found` */
  async show(caller: OperatorCaller, slug: string): Promise<TenantAnswer> {
    const { id } = await this.get(slug);
    const look = lookOf(caller, 'tenants.show', id);
    return this.database.asOperator(look, async (tx) => {
      await this.noteLook(tx, caller, look);
      return { tenant: view(await this.#lock(tx, id)) };
    });
  }

  /** @throws AppError `not_found`, or `conflict` for one that is to be deleted: whoever takes that back makes it what it was. */
  async suspend(caller: OperatorCaller, slug: string, why: Why): Promise<TenantAnswer> {
    const { reason } = why;
    return this.#change(caller, {
      slug,
      reason,
      action: 'tenants.suspend',
      recorded: { event: 'tenant.suspended', details: { reason } },
      apply: async (tx, tenant) => {
        if (tenant.deletion_due_at !== null) throw leaving();
        if (tenant.status === 'suspended') return false;
        await this.tenants.setStatus(tx, tenant.id, 'suspended', reason);
        await enqueue(tx, tenant.id, evictTenantJob, { tenantId: tenant.id });
        await this.#tell(tx, tenant.id, 'suspended', why);
        return true;
      },
    });
  }

  /** @throws AppError `not_found`, or `conflict` for one that is to be deleted. */
  async resume(caller: OperatorCaller, slug: string, why: Why): Promise<TenantAnswer> {
    const { reason } = why;
    return this.#change(caller, {
      slug,
      reason,
      action: 'tenants.resume',
      recorded: { event: 'tenant.resumed', details: { reason } },
      apply: async (tx, tenant) => {
        if (tenant.deletion_due_at !== null) throw leaving();
        if (tenant.status === 'active') return false;
        await this.tenants.setStatus(tx, tenant.id, 'active', null);
        await this.#tell(tx, tenant.id, 'resumed', why);
        return true;
      },
    });
  }

  /** @throws AppError `not_found`, `unprocessable` for a plan that does not exist, `conflict` for one of another tier than its home. */
  async assignPlan(caller: OperatorCaller, slug: string, plan: string, reason: string): Promise<TenantAnswer> {
    let isAway = false;
    return this.#change(caller, {
      slug,
      reason,
      action: 'tenants.assign_plan',
      recorded: { event: 'tenant.plan_assigned', details: { plan, reason } },
      apply: async (tx, tenant) => {
        isAway = await this.tenants.isDedicated(tx);
        await this.#requireTier(tx, plan, isAway);
        if (tenant.plan === plan) return false;
        await this.tenants.setPlan(tx, tenant.id, plan);
        return true;
      },
      // What a dedicated database has of plans is a copy: it may be one of before.
      besideHome: async (common) => (isAway ? this.#requireTier(common, plan, isAway) : undefined),
    });
  }

  /** A tenant by its slug or id. @throws AppError `not_found` */
  async get(slug: string): Promise<OperatedTenantRow> {
    const tenant = await this.database.asService((tx) => this.tenants.findByName(tx, slug));
    if (tenant === undefined) throw new AppError('not_found');
    return tenant;
  }

  /** Makes this the transaction's tenant, and keeps it from changing until the transaction ends. @throws AppError `not_found` */
  async enter(tx: Transaction, tenantId: string): Promise<OperatedTenantRow> {
    await this.tenants.enter(tx, tenantId);
    return this.#lock(tx, tenantId);
  }

  /** Reads something of a tenant, which stands in both audits. @throws AppError `not_found` */
  async look<Result>(
    caller: OperatorCaller,
    slug: string,
    action: string,
    read: (tx: Transaction, tenantId: string) => Promise<Result>,
  ): Promise<Result> {
    const { id } = await this.get(slug);
    const look = lookOf(caller, action, id);
    return this.database.asOperator(look, async (tx) => {
      await this.noteLook(tx, caller, look);
      return read(tx, id);
    });
  }

  /** Does something to a tenant, which stands in both audits with its reason. @throws AppError `not_found` */
  async act<Result>(
    caller: OperatorCaller,
    slug: string,
    { action, recorded }: TenantAct,
    work: (tx: Transaction, tenantId: string) => Promise<Result>,
  ): Promise<Result> {
    const { id } = await this.get(slug);
    const { reason, ...details } = recorded.details;
    return this.database.asOperator(actOf(caller, { action, reason, tenantId: id, details }), async (tx) => {
      await this.tenants.enter(tx, id);
      const result = await work(tx, id);
      await appendAudit(tx, id, [doneBy(caller, { ...recorded, target: `tenant:${id}` })]);
      return result;
    });
  }

  /** Tells the tenant that an operator looked at it; the transaction is the tenant's from here on. */
  async noteLook(tx: Transaction, caller: OperatorCaller, { action, tenantId }: OperatorAct): Promise<void> {
    if (tenantId === undefined) return;
    await this.tenants.enter(tx, tenantId);
    const entry = { event: 'tenant.viewed', target: `tenant:${tenantId}`, details: { action } } as const;
    await appendAudit(tx, tenantId, [doneBy(caller, entry)]);
  }

  async #tell(tx: Transaction, tenantId: string, kind: 'suspended' | 'resumed', why: Why): Promise<void> {
    await tellOwners(tx, tenantId, { news: { kind }, contact: this.config.WHARF_OPERATOR_CONTACT, ...why });
  }

  async #change(caller: OperatorCaller, change: Change): Promise<TenantAnswer> {
    const { id } = await this.get(change.slug);
    const { action, reason, recorded } = change;
    const { reason: _, ...details } = recorded.details;
    const work = async (tx: Transaction, note: ActNote): Promise<TenantAnswer> => {
      await this.tenants.enter(tx, id);
      if (await change.apply(tx, await this.#lock(tx, id))) {
        await appendAudit(tx, id, [doneBy(caller, { ...recorded, target: `tenant:${id}` })]);
      } else note.unchanged();
      return { tenant: view(await this.#lock(tx, id)) };
    };
    const act = actOf(caller, { action, reason, tenantId: id, details });
    return this.database.asOperator(act, work, change.besideHome?.bind(change));
  }

  /** @throws AppError `unprocessable` for a plan that does not exist, `conflict` for one that does not let the tenant be where it is */
  async #requireTier(tx: Transaction, plan: string, isAway: boolean): Promise<void> {
    const tier = await this.tenants.tierOf(tx, plan);
    if (tier === undefined) throw unknownPlan(plan);
    if (tier === 'shared' && isAway) throw ofSharedTier(plan);
  }

  /** Tenants of an id, or of a person's address: people are where their tenants are at home. */
  async #foundBy(text: string | undefined, address: string | undefined): Promise<readonly string[]> {
    const id = z.uuid().safeParse(text?.toLowerCase()).data;
    if (address === undefined) return id === undefined ? [] : [id];
    return (await this.database.everywhere((tx) => this.tenants.tenantsOf(tx, address))).flat();
  }

  /** A hold is where its tenant is at home, which the list of tenants is not. */
  async #heldOf(ids: readonly string[]): Promise<Set<string>> {
    const held = await this.database.everywhere((tx) => this.tenants.heldOf(tx, ids));
    return new Set(held.flat());
  }

  async #lock(tx: Transaction, id: string): Promise<OperatedTenantRow> {
    const tenant = await this.tenants.lock(tx, id);
    if (tenant === undefined) throw new AppError('not_found');
    return tenant;
  }
}

function view(row: OperatedTenantRow): TenantAnswer['tenant'] {
  return {
    ...row,
    deletion_due_at: row.deletion_due_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
  };
}
