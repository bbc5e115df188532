import type { RuntimeStatus } from '#libs/protocol';
import type { AnswerOf } from '../contract/contract.js';
import type { drainRuntime } from './platform-runtimes.schema.js';

type RuntimeView = AnswerOf<typeof drainRuntime>['runtime'];

/** A worker-runtime as it said it is; one that does not answer is `away`. */
export function runtimeView(mark: string, status: RuntimeStatus | undefined): RuntimeView {
  return {
    mark,
    state: stateOf(status),
    drain_ends_at: status?.drainEndsAtMs === undefined ? null : new Date(status.drainEndsAtMs).toISOString(),
    runtime_id: status?.runtimeId ?? null,
    node: status?.node ?? null,
    started_at: status === undefined ? null : new Date(status.startedAtMs).toISOString(),
    load_average: status?.loadAverage ?? null,
    cores: status?.cores ?? null,
    memory_bytes: status?.memoryBytes ?? null,
    worker_memory_bytes: status?.workerMemoryBytes ?? null,
    exchanges: status?.exchanges ?? null,
    tenants: status?.tenants ?? null,
    workers: status?.workers ?? null,
    workers_max: status?.workersMax ?? null,
    pools: status?.pools?.map(({ memoryMb, waiting, wanted }) => ({ memory_mb: memoryMb, waiting, wanted })) ?? null,
  };
}

function stateOf(status: RuntimeStatus | undefined): RuntimeView['state'] {
  if (status === undefined) return 'away';
  if (!status.draining) return 'taking';
  return status.workers === 0 && status.exchanges === 0 ? 'drained' : 'draining';
}
