import { Inject, Injectable } from '@nestjs/common';
import type { RedisStore } from '#libs/redis';
import { z } from 'zod';
import { AppError } from '#libs/errors';
import { sessionDigest, sessionKey, sessionsOfKey } from '#libs/protocol';
import type { OperatorCaller } from '../access/caller.js';
import type { AnswerOf, InputOf } from '../contract/contract.js';
import { OperatorOrders, tenantNote } from '../operator-orders/operator-orders.service.js';
import { actOf } from '../operators/act.js';
import { pageByKey } from '../paging/cursor.js';
import { PlatformTenantsService } from '../platform-tenants/platform-tenants.service.js';
import { REDIS } from '../platform/tokens.js';
import type { endSession, listSessions } from './platform-sessions.schema.js';

const LOOKED_AT_MAX = 1_000;
const kept = z.object({
  principalBinding: z.string(),
  runtime: z.string(),
  route: z.object({ mounts: z.array(z.object({ serverSlug: z.string() })) }),
});

interface Listed {
  readonly id: string;
  readonly usedAtMs: number;
}

/** Sessions of one tenant, in the directory that gateways keep in Redis. */
@Injectable()
export class PlatformSessionsService {
  constructor(
    @Inject(REDIS) private readonly redis: RedisStore,
    @Inject(OperatorOrders) private readonly orders: OperatorOrders,
    @Inject(PlatformTenantsService) private readonly tenants: PlatformTenantsService,
  ) {}

  /** @throws AppError `not_found`, or `unavailable` while Redis is away */
  async list(
    caller: OperatorCaller,
    { params, query }: Pick<InputOf<typeof listSessions>, 'params' | 'query'>,
  ): Promise<AnswerOf<typeof listSessions>> {
    const tenantId = await this.tenants.look(caller, params.tenant, 'sessions.list', async (_, id) => id);
    const [listed, total] = await away(
      Promise.all([this.#listed(tenantId), this.redis.zcard(sessionsOfKey(tenantId))]),
    );
    const page = pageByKey(listed, placeOf, 'descending', query);
    const sessions = await Promise.all(page.rows.map((one) => this.#view(tenantId, one)));
    return { sessions: sessions.flatMap((session) => session ?? []), total, next_cursor: page.next };
  }

  /** @throws AppError `not_found`, or `unavailable` while Redis is away */
  async end(
    caller: OperatorCaller,
    { params, query }: Pick<InputOf<typeof endSession>, 'params' | 'query'>,
  ): Promise<void> {
    const { id: tenantId } = await this.tenants.get(params.tenant);
    const listed = await away(this.#listed(tenantId));
    const found = listed.find(({ id }) => sessionDigest(id) === params.session);
    if (found === undefined) throw new AppError('not_found');
    const { session } = params;
    const { reason } = query;
    const act = actOf(caller, { action: 'sessions.end', reason, tenantId, details: { session } });
    const entry = { event: 'session.ended', details: { session, reason }, target: `session:${session}` } as const;
    await this.orders.give({ act, tells: [tenantNote(caller, tenantId, entry)] }, async (note) => {
      if (!(await away(this.#forget(tenantId, found.id)))) note.unchanged();
    });
  }

  /** Those used last, as many as can be looked through. */
  async #listed(tenantId: string): Promise<Listed[]> {
    const flat = await this.redis.zrevrange(sessionsOfKey(tenantId), 0, LOOKED_AT_MAX - 1, 'WITHSCORES');
    return flat.flatMap((id, at) => (at % 2 === 0 ? [{ id, usedAtMs: Number(flat[at + 1]) }] : []));
  }

  /** A session that has rested for too long is still listed for a moment. */
  async #view(
    tenantId: string,
    { id, usedAtMs }: Listed,
  ): Promise<AnswerOf<typeof listSessions>['sessions'][number] | undefined> {
    const session = await away(this.#find(tenantId, id));
    if (session === undefined) return undefined;
    return {
      id: sessionDigest(id),
      used_at: new Date(usedAtMs).toISOString(),
      servers: session.route.mounts.map(({ serverSlug }) => serverSlug),
      runtime: session.runtime,
    };
  }

  async #find(tenantId: string, id: string): Promise<z.output<typeof kept> | undefined> {
    const text = await this.redis.get(sessionKey(tenantId, id));
    return text === null ? undefined : kept.safeParse(JSON.parse(text)).data;
  }

  /** False where it had ended meanwhile. */
  async #forget(tenantId: string, id: string): Promise<boolean> {
    const session = await this.#find(tenantId, id);
    const ended = await this.redis.del(sessionKey(tenantId, id));
    await this.redis.zrem(sessionsOfKey(tenantId), id);
    if (session !== undefined) await this.redis.zrem(sessionsOfKey(tenantId, session.principalBinding), id);
    return ended > 0;
  }
}

/** Where a session stands in the list, by its time and then by its mark; as a cursor it says nothing that opens one. */
function placeOf({ id, usedAtMs }: Listed): string {
  return `${String(Math.floor(usedAtMs)).padStart(15, '0')}${sessionDigest(id)}`;
}

async function away<Result>(answer: Promise<Result>): Promise<Result> {
  return answer.catch((error: unknown) => {
    throw new AppError('unavailable', {
      message: 'Redis, which holds the directory of sessions, does not answer at the moment. Try again shortly.',
      retryAfterSeconds: 5,
      cause: error,
    });
  });
}
