/** What an operator asks of one runtime. */
export type RuntimeOrder =
  | { readonly kind: 'show' }
  /** Take no new work, or take it again. `withinMs`: how long what goes on may take; without it, as long as it likes. */
  | { readonly kind: 'drain'; readonly draining: boolean; readonly withinMs?: number }
  /** End one worker; what runs in it fails, and its sessions are gone. */
  | { readonly kind: 'stop-worker'; readonly worker: string }
  /** End every worker and build, and the workers that wait for use; what runs in them fails. `draining`: and take no new work. */
  | { readonly kind: 'kill'; readonly draining: boolean };

/** A bound worker, as operators see it. */
export interface WorkerStatus {
  readonly id: string;
  readonly tenantId: string;
  readonly servers: readonly string[];
  readonly exchanges: number;
  readonly sessions: number;
  /** Epoch milliseconds. */
  readonly usedAtMs: number;
}

/** Started workers of one size that wait for use. */
export interface WarmPool {
  readonly memoryMb: number;
  readonly waiting: number;
  /** How many are to wait. */
  readonly wanted: number;
}

/** One runtime, as operators see it. */
export interface RuntimeStatus {
  readonly runtimeId: string;
  /** Epoch milliseconds. */
  readonly startedAtMs: number;
  readonly draining: boolean;
  /** Epoch milliseconds at which what still goes on is ended. */
  readonly drainEndsAtMs?: number;
  readonly node: string;
  readonly loadAverage: number;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly workerMemoryBytes: number;
  readonly exchanges: number;
  readonly tenants: number;
  readonly workers: number;
  readonly workersMax: number;
  /** Not said by a runtime of before. */
  readonly pools?: readonly WarmPool[];
  /** The workers that are busiest, five hundred at most. */
  readonly busiest: readonly WorkerStatus[];
}

/** What came of an order: how the runtime is now; `found` is false where there is no such worker. */
export interface OrderAnswer {
  readonly found: boolean;
  /** What was ended by the order, where it ends everything. */
  readonly ended?: { readonly workers: number; readonly builds: number; readonly tenantIds: readonly string[] };
  readonly status: RuntimeStatus;
}
