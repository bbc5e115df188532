import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import type { OrderAnswer, RuntimeClient, RuntimeOrder } from '#libs/protocol';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { OperatorOrders, tenantNote } from '../operator-orders/operator-orders.service.js';
import { OrderTurns } from '../operator-orders/order-turns.js';
import { actOf, lookOf } from '../operators/act.js';
import { pageByKey } from '../paging/cursor.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { OPERATOR_DATABASE, RUNTIME } from '../platform/tokens.js';
import type {
  drainRuntime,
  killRuntime,
  listRuntimes,
  listWorkers,
  stopTenantWorkers,
} from './platform-runtimes.schema.js';
import { runtimeView } from './runtime-view.js';

/** What tenants are told whose workers ended with a host: why that was is not theirs to know. */
const OF_A_HOST = 'the operator ended everything that ran on one worker host';

/** What operators see of the worker-runtimes and do there. */
@Injectable()
export class PlatformRuntimesService {
  constructor(
    @Inject(OPERATOR_DATABASE) private readonly database: Database,
    @Inject(RUNTIME) private readonly runtime: RuntimeClient,
    @Inject(OperatorOrders) private readonly orders: OperatorOrders,
    @Inject(OrderTurns) private readonly turns: OrderTurns,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
  ) {}

  async list(
    caller: OperatorCaller,
    query: InputOf<typeof listRuntimes>['query'],
  ): Promise<AnswerOf<typeof listRuntimes>> {
    await this.#note(caller, 'runtimes.list');
    const found = await this.runtime.operated();
    const page = pageByKey(found, ({ mark }) => mark, 'ascending', query);
    return { runtimes: page.rows.map(({ mark, answer }) => runtimeView(mark, answer?.status)), next_cursor: page.next };
  }

  /** @throws AppError `not_found`, or `unavailable` where the runtime cannot be asked */
  async workers(
    caller: OperatorCaller,
    { params, query }: Pick<InputOf<typeof listWorkers>, 'params' | 'query'>,
  ): Promise<AnswerOf<typeof listWorkers>> {
    const { status } = await this.#order(params.runtime, { kind: 'show' });
    const slugs = await this.#slugs(
      caller,
      status.busiest.map(({ tenantId }) => tenantId),
    );
    const page = pageByKey(status.busiest, ({ id }) => id, 'ascending', query);
    const workers = page.rows.map(({ tenantId, usedAtMs, servers, ...worker }) => ({
      ...worker,
      servers: [...servers],
      tenant: { id: tenantId, slug: slugs.get(tenantId) ?? null },
      used_at: new Date(usedAtMs).toISOString(),
    }));
    return { workers, next_cursor: page.next };
  }

  /** @throws AppError `not_found`, `conflict` for the last one that takes work, `unavailable` */
  async drain(
    caller: OperatorCaller,
    mark: string,
    asked: InputOf<typeof drainRuntime>['body'],
  ): Promise<AnswerOf<typeof drainRuntime>> {
    // Of two at once, each would see the other's runtime take work still.
    return this.turns.inTurn('runtimes.drain', () => this.#drain(caller, mark, asked));
  }

  async #drain(
    caller: OperatorCaller,
    mark: string,
    { even_if_last: evenIfLast, within_seconds: seconds, reason }: InputOf<typeof drainRuntime>['body'],
  ): Promise<AnswerOf<typeof drainRuntime>> {
    const found = await this.runtime.operated();
    const left = found.filter((one) => one.mark !== mark && one.answer?.status.draining === false);
    if (!evenIfLast && left.length === 0 && found.some((one) => one.mark === mark)) throw lastOne();
    // Where there is no other, sessions have nowhere to go.
    const order = {
      kind: 'drain',
      draining: true,
      ...(left.length === 0 ? {} : { withinMs: seconds * 1_000 }),
    } as const;
    return this.#setDraining(caller, mark, { order, action: 'runtimes.drain', reason });
  }

  /** @throws AppError `not_found`, `unavailable` */
  async kill(
    caller: OperatorCaller,
    mark: string,
    { afterwards, reason }: InputOf<typeof killRuntime>['body'],
  ): Promise<AnswerOf<typeof killRuntime>> {
    if (!(await this.runtime.operated()).some((one) => one.mark === mark)) throw new AppError('not_found');
    const act = actOf(caller, { action: 'runtimes.kill', reason, details: { runtime: mark, afterwards } });
    return this.orders.give({ act }, async (note) => {
      const { status, ended } = await this.#order(mark, { kind: 'kill', draining: afterwards === 'drain' });
      const { workers = 0, builds = 0, tenantIds = [] } = ended ?? {};
      const recorded = { event: 'tenant.workers_stopped', details: { reason: OF_A_HOST } } as const;
      for (const tenantId of tenantIds) note.note(tenantNote(caller, tenantId, recorded));
      note.tell({ workers, builds, tenants: tenantIds });
      return { runtime: runtimeView(mark, status), ended: { workers, builds, tenants: tenantIds.length } };
    });
  }

  /** @throws AppError `not_found`, `unavailable` */
  async resume(caller: OperatorCaller, mark: string, reason: string): Promise<AnswerOf<typeof drainRuntime>> {
    const order = { kind: 'drain', draining: false } as const;
    return this.#setDraining(caller, mark, { order, action: 'runtimes.resume', reason });
  }

  /** @throws AppError `not_found`, `unprocessable` for a worker that is none of the tenant's, `unavailable` */
  async stopWorkers(
    caller: OperatorCaller,
    slug: string,
    { worker, reason }: InputOf<typeof stopTenantWorkers>['body'],
  ): Promise<void> {
    const { id: tenantId } = await this.tenants.get(slug);
    const place = worker === undefined ? undefined : await this.#placeOf(worker, tenantId);
    const details = { ...(worker === undefined ? {} : { worker }), reason };
    const recorded = { event: 'tenant.workers_stopped', details } as const;
    const { reason: _, ...named } = details;
    const act = actOf(caller, { action: 'workers.stop', reason, tenantId, details: named });
    const tells = [tenantNote(caller, tenantId, recorded)];
    await this.orders.give({ act, tells }, async (note) => {
      if (place === undefined || worker === undefined) await this.runtime.evict(tenantId, 'stopped');
      else if (!(await this.#order(place, { kind: 'stop-worker', worker })).found) note.unchanged();
    });
  }

  /** Which runtime has a worker of a tenant. */
  async #placeOf(worker: string, tenantId: string): Promise<string> {
    const found = await this.runtime.operated();
    const place = found.find(({ answer }) =>
      answer?.status.busiest.some((one) => one.id === worker && one.tenantId === tenantId),
    );
    if (place !== undefined) return place.mark;
    throw new AppError('unprocessable', {
      message: 'No runtime has this worker for this tenant. List them with GET /admin/v1/runtimes/{runtime}/workers.',
      problems: [{ pointer: '/worker', message: 'no such worker of this tenant' }],
    });
  }

  async #setDraining(
    caller: OperatorCaller,
    mark: string,
    { order, action, reason }: { order: RuntimeOrder; action: string; reason: string },
  ): Promise<AnswerOf<typeof drainRuntime>> {
    const before = (await this.#order(mark, { kind: 'show' })).status;
    const act = actOf(caller, { action, reason, details: { runtime: mark } });
    return this.orders.give({ act }, async (note) => {
      const { status } = await this.#order(mark, order);
      if (before.draining === status.draining && before.drainEndsAtMs === status.drainEndsAtMs) note.unchanged();
      return { runtime: runtimeView(mark, status) };
    });
  }

  async #order(mark: string, order: RuntimeOrder): Promise<OrderAnswer> {
    const answer = await this.runtime.order(mark, order);
    if (answer === undefined) throw new AppError('not_found');
    return answer;
  }

  async #note(caller: OperatorCaller, action: string): Promise<void> {
    await this.database.asOperator(lookOf(caller, action), async () => undefined);
  }

  async #slugs(caller: OperatorCaller, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows: Array<{ id: string; slug: string }> = await this.database.asOperator(
      lookOf(caller, 'workers.list'),
      (tx) => tx.query(`select id, slug from tenants where id = any($1)`, [[...new Set(ids)]]),
    );
    return new Map(rows.map(({ id, slug }) => [id, slug]));
  }
}

function lastOne(): AppError {
  return new AppError('conflict', {
    message: 'No other worker-runtime takes work. Start or resume another one first, then drain this one.',
  });
}
