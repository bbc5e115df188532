import { Inject, Injectable } from '@nestjs/common';
import { appendAudit } from '#libs/audit';
import type { Database, Transaction } from '#libs/database';
import { AppError } from '#libs/errors';
import { doneBy, type OperatorCaller } from '../access/caller.js';
import type { ControlPlaneConfig } from '../config.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { actOf, lookOf } from '../operators/act.js';
import { PlatformTenantsRepository, type OperatedTenantRow } from '../platform-tenants/platform-tenants.repository.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { CONFIG, OPERATOR_DATABASE } from '../platform/tokens.js';
import { homeView, nameOf } from './home-view.js';
import { PlatformHomesRepository, type HomeRow, type MoveRow } from './platform-homes.repository.js';
import { COMMON, type moveHome, type showHome } from './platform-homes.schema.js';
import { refuseUnfit } from './target-database.js';

type HomeAnswer = AnswerOf<typeof showHome>;

/** Operators' work on which databases tenants are at home in. */
@Injectable()
export class PlatformHomesService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(PlatformTenantsRepository) private readonly tenantRows: PlatformTenantsRepository,
    @Inject(PlatformHomesRepository) private readonly rows: PlatformHomesRepository,
    @Inject(CONFIG) private readonly config: ControlPlaneConfig,
  ) {}

  /** Reads nothing of the tenant's own, which may be on its way. @throws AppError `not_found` */
  async show(caller: OperatorCaller, slug: string): Promise<HomeAnswer> {
    const { id } = await this.tenants.get(slug);
    return this.database.asOperatorInCommon(lookOf(caller, 'tenants.show_home', id), (tx) => this.#home(tx, id));
  }

  /** @throws AppError `not_found`, `precondition_failed`, `unprocessable` for an unknown database, `conflict`, `unavailable` */
  async move(
    caller: OperatorCaller,
    { params, body: { database, reason }, precondition }: InputOf<typeof moveHome>,
  ): Promise<HomeAnswer> {
    const tenant = await this.tenants.get(params.tenant);
    precondition.require((await this.database.asService((tx) => this.#home(tx, tenant.id))).database);
    const to = database === COMMON ? null : database;
    const last = await this.database.asService((tx) => this.rows.findLastMove(tx, tenant.id));
    if (last?.open_to_abandon === true && last.from_database === to) return this.#abandon(caller, tenant, last, reason);
    if (to !== null && !this.config.WHARF_DEDICATED_DATABASES.has(to)) throw unknownDatabase(to);
    const from = await this.#refuseUnmovable(tenant, to);
    const move = { from, to, reason, by: caller.operatorId };
    const tier = to === null ? 'common' : 'dedicated';
    const details = { from: nameOf(from), to: database };
    const act = actOf(caller, { action: 'tenants.move', reason, tenantId: tenant.id, details });
    const inTenantsLog = async (tx: Transaction): Promise<void> => {
      await this.tenants.enter(tx, tenant.id);
      refuseLeaving(await this.tenantRows.lock(tx, tenant.id), to);
      const entry = {
        event: 'tenant.move_requested',
        target: `tenant:${tenant.id}`,
        details: { tier, reason },
      } as const;
      await appendAudit(tx, tenant.id, [doneBy(caller, entry)]);
    };
    // The list of moves is in the common database, as the act's record is, wherever the tenant's log is.
    await this.database.asOperator(act, inTenantsLog, async (common) => {
      if (!(await this.rows.askMove(common, tenant.id, move))) throw moving();
    });
    return this.database.asService((tx) => this.#home(tx, tenant.id));
  }

  /** Asked to be where it comes from, a tenant stays there. Its own log is on its way, and says nothing of it. */
  async #abandon(
    caller: OperatorCaller,
    { id: tenantId }: OperatedTenantRow,
    { id }: MoveRow,
    reason: string,
  ): Promise<HomeAnswer> {
    const act = actOf(caller, { action: 'tenants.abandon_move', reason, tenantId, details: { move: id } });
    return this.database.asOperatorInCommon(act, async (tx) => {
      if (!(await this.rows.abandonMove(tx, id, reason))) throw moving();
      return this.#home(tx, tenantId);
    });
  }

  /** The database that a tenant leaves; null is the common one. */
  async #refuseUnmovable(tenant: OperatedTenantRow, to: string | null): Promise<string | null> {
    const { home, last, schema, tier } = await this.database.asService(async (tx) => ({
      tier: await this.tenantRows.tierOf(tx, tenant.plan),
      home: await this.rows.findHome(tx, tenant.id),
      last: await this.rows.findLastMove(tx, tenant.id),
      schema: (await this.rows.schemaOf(tx)).migrations,
    }));
    if (last !== undefined && last.state !== 'done' && last.state !== 'failed') throw moving();
    const from = settledIn(home);
    refuseLeaving(tenant, to);
    if (from === to) throw alreadyThere(to);
    if (from !== null && to !== null) throw notAcross(from);
    if (to !== null && tier !== 'dedicated') throw ofSharedTier(tenant.plan);
    const name = to ?? from ?? '';
    const databaseUrl = this.config.WHARF_DEDICATED_DATABASES.get(name)?.reveal();
    if (databaseUrl === undefined) throw unknownDatabase(name);
    await refuseUnfit(this.rows, { name, databaseUrl, schema, masterKey: this.config.WHARF_MASTER_KEY });
    return from;
  }

  async #home(tx: Transaction, tenantId: string): Promise<HomeAnswer> {
    return homeView(await this.rows.findHome(tx, tenantId), await this.rows.findLastMove(tx, tenantId));
  }
}

function settledIn(home: HomeRow | undefined): string | null {
  if (home !== undefined && home.state !== 'dedicated') throw moving();
  return home?.database ?? null;
}

function unknownDatabase(name: string): AppError {
  return new AppError('unprocessable', {
    message: `There is no database ${name}. Name it in WHARF_DEDICATED_DATABASES of every service, run \`npm run migrate\`, then ask again.`,
    problems: [{ pointer: '/database', message: 'no such database' }],
  });
}

function moving(): AppError {
  return new AppError('conflict', {
    message: 'A move of this tenant is not over yet. See how far it is with GET /admin/v1/tenants/{tenant}/home.',
  });
}

function alreadyThere(to: string | null): AppError {
  return new AppError('conflict', { message: `The tenant is at home in ${nameOf(to)} already. Nothing was changed.` });
}

function ofSharedTier(plan: string): AppError {
  return new AppError('conflict', {
    message:
      `This tenant’s plan, ${plan}, is of the shared tier. Give it one whose isolation_tier is dedicated with ` +
      'PUT /admin/v1/tenants/{tenant}/plan first.',
  });
}

function notAcross(from: string): AppError {
  return new AppError('conflict', {
    message: `The tenant is at home in ${from}. Move it to ${COMMON} first, and from there to another database.`,
  });
}

/** A tenant that is to be deleted may go back to the common database, where it is deleted, and nowhere else. */
function refuseLeaving(tenant: OperatedTenantRow | undefined, to: string | null): void {
  if (tenant === undefined) throw new AppError('not_found');
  if (tenant.deletion_due_at === null || to === null) return;
  throw new AppError('conflict', {
    message: 'This tenant is to be deleted. Keep it with POST /admin/v1/tenants/{tenant}/restore first.',
  });
}
