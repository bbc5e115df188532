import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { PersonLogins } from '#libs/connections';
import { AppError } from '#libs/errors';
import { contentOf, stateQuestionSchema, withContent, type StateQuestion } from '#libs/protocol';
import type { RedisStore } from '#libs/redis';
import type { DerivedKeys } from '#libs/secrets';
import type { PlacedCall } from '../sessions/place.js';
import type { TenantKeys } from '../streams/tenant-keys.js';

type Ask<Kind extends StateQuestion['ask']> = Extract<StateQuestion, { ask: Kind }>;

/** What the desk stands on. */
export interface StateParts {
  readonly redis: Pick<RedisStore, 'set'>;
  readonly keys: TenantKeys;
  /** People's logins, which are read anew when a call is made again that may have waited for one. */
  readonly logins: Pick<PersonLogins, 'forget'>;
}

const PURPOSE = 'states';
/** Until when a state is good, in epoch milliseconds. */
const sealedSchema = z.strictObject({ untilMs: z.number() });

/**
 * Makes and takes the `requestState` of calls that are to be made again (MCP 2026-07-28, MRTR: "servers MUST treat it as
 * attacker-controlled"). A state is sealed with a key of its tenant that every gateway has, for the principal, URL,
 * server and release of the call, as they were proved here, and for one request. It is good once, for a time, whichever
 * worker the second request comes to.
 */
export class StateDesk {
  constructor(private readonly parts: StateParts) {}

  /** @throws AppError `invalid_params` for a state that is not good for this call, `not_found`, `unavailable` */
  async answer(call: PlacedCall, serverSlug: string, asked: Buffer): Promise<Buffer> {
    const parsed = stateQuestionSchema.safeParse(contentOf(asked)?.head);
    if (!parsed.success) throw new AppError('invalid_params');
    const { data: question } = parsed;
    const context = contextOf(call, serverSlug, question);
    const { tenantId } = call.tenant;
    const keys = await this.parts.keys.get(tenantId, PURPOSE).catch(refuseForNow);
    if (question.ask === 'seal') return withContent({ state: seal(keys, context, question) });
    await this.#redeem(tenantId, keys, context, question);
    return withContent({});
  }

  async #redeem(tenantId: string, keys: DerivedKeys, context: string, { state }: Ask<'redeem'>): Promise<void> {
    const leftMs = untilMsOf(keys, state, context) - Date.now();
    if (leftMs <= 0) throw new AppError('invalid_params');
    const name = `state:${tenantId}:${createHash('sha256').update(state).digest('base64url')}`;
    const first = await this.parts.redis.set(name, '', 'PX', Math.ceil(leftMs), 'NX').catch(refuseForNow);
    if (first === null) throw new AppError('invalid_params');
    this.parts.logins.forget(tenantId);
  }
}

function seal(keys: DerivedKeys, context: string, { seconds }: Ask<'seal'>): string {
  const sealed: z.infer<typeof sealedSchema> = { untilMs: Date.now() + seconds * 1_000 };
  return keys.seal(Buffer.from(JSON.stringify(sealed)), context).toString('base64url');
}

/** Until when a state is good; 0 for one that was altered, or is of another call. */
function untilMsOf(keys: DerivedKeys, state: string, context: string): number {
  const sealed = Buffer.from(state, 'base64url');
  if (sealed.toString('base64url') !== state) return 0; // another spelling of the same bytes would be good once more
  try {
    return sealedSchema.parse(JSON.parse(keys.open(sealed, context).toString())).untilMs;
  } catch {
    return 0;
  }
}

/** What a state is good for. @throws AppError not_found for a server that is none of the call's */
function contextOf(
  { tenant, principalBinding, target, route, tool }: PlacedCall,
  serverSlug: string,
  { request }: Pick<StateQuestion, 'request'>,
): string {
  const mount = route.mounts.find((mounted) => mounted.serverSlug === serverSlug);
  if (mount === undefined || (tool !== undefined && tool.serverSlug !== serverSlug)) throw new AppError('not_found');
  return JSON.stringify([
    'state',
    tenant.tenantId,
    principalBinding,
    target.resource,
    serverSlug,
    mount.digest,
    request,
  ]);
}

function refuseForNow(cause: unknown): never {
  throw new AppError('unavailable', { cause, retryAfterSeconds: 1 });
}
