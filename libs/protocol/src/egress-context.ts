/** An operator's word on the breaker of one upstream: it stays open until then, or began anew at that moment. */
export interface BreakerOrder {
  readonly origin: string;
  readonly openUntilMs?: number;
  readonly resetAtMs?: number;
}

/** What egress may do for a tenant: handed over once per version, held in memory only. */
export interface EgressContext {
  readonly version: string;
  /** What the tenant's plan gives each of its workers; without it, the runtime's default. */
  readonly workerMemoryMb?: number;
  /** Secret name → value. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The secrets of environments other than production (`egressContextFor`). */
  readonly environments?: Readonly<Record<string, { readonly secrets: Readonly<Record<string, string>> }>>;
  /** Slug of a server that is such an environment → the hosts that are all it may reach. */
  readonly onlyHostsOf?: Readonly<Record<string, readonly string[]>>;
  /** All hosts that may be reached, where an environment names them; made by `egressContextFor`, never sent. */
  readonly onlyHosts?: readonly string[];
  /** Private addresses an operator allows this tenant: exact host (name or address) and port. */
  readonly allowances: ReadonlyArray<{ readonly host: string; readonly port: number }>;
  /** Private ranges (CIDR) an operator allows this tenant, each for one port. */
  readonly ranges?: ReadonlyArray<{ readonly range: string; readonly port: number }>;
  /** 32 bytes in base64, derived from the tenant's data key: what tokens of upstreams are kept under. */
  readonly tokenKey?: string;
  /** What operators say about breakers of the tenant's upstreams; times in epoch milliseconds. */
  readonly breakerOrders?: readonly BreakerOrder[];
  /** Where the tenant lets the last good answers of read-only tools stand in for a failing upstream. */
  readonly staleAnswers?: {
    /** 32 bytes in base64, derived from the tenant's data key: what answers are kept under. */
    readonly key: string;
    /** Server slug → how old an answer may be. */
    readonly maxAgeSeconds: Readonly<Record<string, number>>;
  };
}
