import { AppError } from '#libs/errors';
import type { BreakerChange, DriftHint, FrameFailure } from './messages.js';
import { KILLS_SINCE, OPERATORS_SINCE } from './protocol-versions.js';
import type { RuntimeConnection } from './runtime-connection.js';
import type { RuntimeExchange } from './runtime-exchanges.js';
import type { OrderAnswer, RuntimeOrder } from './runtime-operation.js';
import type { UpstreamState, UpstreamsOf } from './upstream-state.js';

const EVICT_MS = 10_000;
const ANSWER_MS = 2_000;
const EMPTY = Buffer.alloc(0);

/** An exchange about which manifests the runtime may not ask. */
export const NO_DIGESTS: ReadonlySet<string> = new Set();

type Asking = Pick<RuntimeExchange, 'tenantId' | 'deadlineMs' | 'digests' | 'onPart' | 'onDone' | 'onBuilt' | 'onFail'>;

/** Why a tenant's workers are stopped: it is suspended, or an operator wants them to be begun anew. */
export type Eviction = 'suspended' | 'stopped';

/** Stops a tenant's workers at one runtime. @throws AppError */
export function evictFrom(connection: RuntimeConnection, tenantId: string, why: Eviction): Promise<void> {
  return new Promise((resolve, reject) => {
    const exchange = { ...asking(tenantId, EVICT_MS, reject), onDone: () => resolve() };
    const suspended = why === 'suspended' ? ({ suspended: true } as const) : {};
    connection.request(exchange, (s) => ({ t: 'evict', s, tenantId, ...suspended }), EMPTY);
  });
}

/** How a tenant's upstreams are doing, as one runtime sees them. @throws AppError */
export function upstreamsOf(
  connection: RuntimeConnection,
  tenantId: string,
  origins: readonly string[],
  of: UpstreamsOf | undefined,
): Promise<readonly UpstreamState[]> {
  return new Promise((resolve, reject) => {
    const exchange = { ...asking(tenantId, ANSWER_MS, reject), onUpstreams: resolve };
    connection.request(exchange, (s) => ({ t: 'upstreams', s, tenantId, origins, ...(of && { of }) }), EMPTY);
  });
}

/** Gives one runtime an operator's order. @throws AppError */
export function orderAt(connection: RuntimeConnection, order: RuntimeOrder): Promise<OrderAnswer> {
  const since = order.kind === 'kill' ? KILLS_SINCE : OPERATORS_SINCE;
  if (!connection.ready || connection.version < since)
    return Promise.reject(
      new AppError('unavailable', {
        message: 'This worker-runtime cannot be asked: it is away, or older than this order of operators.',
        retryAfterSeconds: 5,
      }),
    );
  return new Promise((resolve, reject) => {
    const exchange = { ...asking('', ANSWER_MS, reject), onOrdered: resolve };
    connection.request(exchange, (s) => ({ t: 'order', s, order }), EMPTY);
  });
}

/** What workers of one runtime have met since anybody last asked. @throws AppError */
export function driftHintsOf(connection: RuntimeConnection): Promise<readonly DriftHint[]> {
  return new Promise((resolve, reject) => {
    const exchange = { ...asking('', ANSWER_MS, reject), onDriftHints: resolve };
    connection.request(exchange, (s) => ({ t: 'drift-hints', s }), EMPTY);
  });
}

/** Which breakers of one runtime have opened or closed since anybody last asked. @throws AppError */
export function breakerChangesOf(connection: RuntimeConnection): Promise<readonly BreakerChange[]> {
  return new Promise((resolve, reject) => {
    const exchange = { ...asking('', ANSWER_MS, reject), onBreakerChanges: resolve };
    connection.request(exchange, (s) => ({ t: 'breaker-changes', s }), EMPTY);
  });
}

/** The error that a runtime's failure is to its caller. */
export function errorOf(failure: FrameFailure): AppError {
  const { code, ...rest } = failure;
  return new AppError(code, rest);
}

/** A question of its own kind: whatever answers otherwise is an error. */
function asking(tenantId: string, ms: number, reject: (error: AppError) => void): Asking {
  const other = (): void => reject(new AppError('internal'));
  return {
    tenantId,
    deadlineMs: Date.now() + ms,
    digests: NO_DIGESTS,
    onPart: () => undefined,
    onDone: other,
    onBuilt: other,
    onFail: (failure) => reject(errorOf(failure)),
  };
}
