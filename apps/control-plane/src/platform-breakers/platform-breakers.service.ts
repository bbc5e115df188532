import { Inject, Injectable } from '@nestjs/common';
import type { Database } from '#libs/database';
import { AppError } from '#libs/errors';
import { EVERY_ORIGIN, type RuntimeClient, type UpstreamState } from '#libs/protocol';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { pageByKey } from '../paging/cursor.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { RUNTIME, TENANT_DATABASE } from '../platform/tokens.js';
import { originsUntil, unknownOrigin } from './known-origins.js';
import { PlatformBreakersRepository, type OrderRow } from './platform-breakers.repository.js';
import type { listBreakers, openBreaker } from './platform-breakers.schema.js';

const ORDERS_MAX = 200;
const BADNESS = { closed: 0, 'half-open': 1, open: 2 } as const;

type Breaker = AnswerOf<typeof listBreakers>['breakers'][number];
type Order = AnswerOf<typeof openBreaker>['order'];

/** Operators' words on breakers: kept with the tenant, and brought to every runtime with its next call. */
@Injectable()
export class PlatformBreakersService {
  constructor(
    @Inject(RUNTIME) private readonly runtime: RuntimeClient,
    @Inject(TENANT_DATABASE) private readonly database: Database,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
    @Inject(PlatformBreakersRepository) private readonly orders: PlatformBreakersRepository,
  ) {}

  /** @throws AppError `not_found` */
  async list(
    caller: OperatorCaller,
    { params, query }: InputOf<typeof listBreakers>,
  ): Promise<AnswerOf<typeof listBreakers>> {
    const { id, orders } = await this.tenants.look(caller, params.tenant, 'breakers.list', async (tx, tenantId) => ({
      id: tenantId,
      orders: await this.orders.list(tx, tenantId),
    }));
    const { seen, complete } = await this.#seenOf(id);
    const ordered = new Map(orders.map((order) => [order.origin, order]));
    const origins = new Set([...seen.map(({ origin }) => origin), ...ordered.keys()]);
    const breakers = [...origins].map((origin) =>
      breakerOf(
        origin,
        seen.filter((one) => one.origin === origin),
        ordered.get(origin),
      ),
    );
    const page = pageByKey(breakers, ({ origin }) => origin, 'ascending', query);
    return { breakers: [...page.rows], next_cursor: page.next, complete };
  }

  /**
   * Holds it open for so many minutes; without, has it begin anew.
   *
   * @throws AppError `not_found`, `unprocessable` for an origin that the tenant does not call, `conflict` for too many
   */
  async order(
    caller: OperatorCaller,
    slug: string,
    { origin, minutes, reason }: { origin: string; minutes?: number; reason: string },
  ): Promise<AnswerOf<typeof openBreaker>> {
    await this.#requireKnown(slug, origin);
    const until = minutes === undefined ? null : new Date(Date.now() + minutes * 60_000).toISOString();
    const recorded = { event: 'breaker.ordered', details: { origin, open_until: until, reason } } as const;
    const action = minutes === undefined ? 'breakers.reset' : 'breakers.open';
    const row = await this.tenants.act(caller, slug, { action, recorded }, async (tx, tenantId) => {
      const made = await this.orders.order(tx, tenantId, { origin, minutes, reason });
      if ((await this.orders.list(tx, tenantId)).length > ORDERS_MAX) throw tooMany();
      return made;
    });
    if (row === undefined) throw new AppError('not_found');
    return { origin, order: orderView(row) };
  }

  /** What runtimes know of the origins that the tenant called of late, and whether all of them said so. */
  async #seenOf(tenantId: string): Promise<{ seen: UpstreamState[]; complete: boolean }> {
    const told = await this.runtime.upstreams(tenantId, [EVERY_ORIGIN]).catch(() => undefined);
    const seen = (told?.seen.flat() ?? []).filter(({ origin }) => origin !== EVERY_ORIGIN);
    return { seen, complete: told?.complete === true };
  }

  /** Some that no release names are called all the same: where tokens come from, for one. Those the runtimes know. */
  async #requireKnown(slug: string, origin: string): Promise<void> {
    const { id } = await this.tenants.get(slug);
    const { named, ordered } = await this.database.asTenant(id, async (tx) => ({
      named: await originsUntil(tx, id, origin),
      ordered: await this.orders.list(tx, id),
    }));
    // What is held open can be let go, whatever has become of the release that named it.
    if (named.has(origin) || ordered.some((order) => order.origin === origin)) return;
    const { seen, complete } = await this.#seenOf(id);
    const origins = new Set([...named, ...seen.map((one) => one.origin)]);
    if (origins.has(origin)) return;
    // In trouble an operator is not kept from holding one open because a runtime does not answer.
    if (complete) throw unknownOrigin(origin, origins);
  }
}

function breakerOf(origin: string, seen: readonly UpstreamState[], row: OrderRow | undefined): Breaker {
  const worst = seen.toSorted((one, other) => BADNESS[other.state] - BADNESS[one.state])[0];
  const lastError = seen.flatMap((one) => one.lastError ?? []).toSorted((one, other) => other.atMs - one.atMs)[0];
  const held = row !== undefined && row.open_until !== null && row.open_until.getTime() > Date.now();
  const retryAtMs = held ? row.open_until?.getTime() : worst?.retryAtMs;
  return {
    origin,
    state: held ? 'held-open' : (worst?.state ?? 'closed'),
    requests: seen.reduce((sum, { requests }) => sum + requests, 0),
    failures: seen.reduce((sum, { failures }) => sum + failures, 0),
    retry_at: retryAtMs === undefined ? null : new Date(retryAtMs).toISOString(),
    last_error:
      lastError === undefined ? null : { reason: lastError.reason, at: new Date(lastError.atMs).toISOString() },
    order: row === undefined ? null : orderView(row),
  };
}

function orderView({ open_until: until, reset_at: reset, reason, ordered_at: at }: OrderRow): Order {
  return {
    open_until: until?.toISOString() ?? null,
    reset_at: reset?.toISOString() ?? null,
    reason,
    ordered_at: at.toISOString(),
  };
}

function tooMany(): AppError {
  return new AppError('conflict', {
    message: `There are ${ORDERS_MAX} orders about breakers of this tenant, which is the limit. Suspend the tenant instead, or wait until some have ended.`,
  });
}
