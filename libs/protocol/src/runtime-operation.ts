/** What an operator asks of one runtime. */
export type RuntimeOrder =
  | { readonly kind: 'show' }
  /** Take no new work, or take it again. `withinMs`: how long what goes on may take; without it, as long as it likes. */
  | { readonly kind: 'drain'; readonly draining: boolean; readonly withinMs?: number }
  /** End one worker; what runs in it fails, and its sessions are gone. */
  | { readonly kind: 'stop-worker'; readonly worker: string };

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
  /** The workers that are busiest, five hundred at most. */
  readonly busiest: readonly WorkerStatus[];
}

/** What came of an order: how the runtime is now; `found` is false where there is no such worker. */
export interface OrderAnswer {
  readonly found: boolean;
  readonly status: RuntimeStatus;
}
