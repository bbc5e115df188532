import type { GuardReport } from './result-guard.js';

/** What a call's audit record and metrics are told beside its outcome. */
export interface CallFacts {
  /** From when its worker had it to its end; the wait for the worker is not in it. */
  readonly workerMs?: number;
  /** What the worker's processes held together when last looked at; unknown for workers in pods. */
  readonly workerMemoryBytes?: number;
  /** What of ours kept the tool from its upstream: `breaker:{origin}` or `egress.{reason}`. */
  readonly rule?: string;
  /** Only where the envelope asked for it. */
  readonly content?: CallContent;
  readonly fault?: CallFault;
  /** What the server's result guard did to the answer. */
  readonly guard?: GuardReport;
  /** Bytes of the tool's answer that were kept, as its result only links to it. */
  readonly keptBytes?: number;
  /** What was sent to and received from upstreams for it: bodies, as they were on the wire. */
  readonly egressBytes?: number;
  /** Set when the third-party server that was to answer had ended. */
  readonly serverEnded?: true;
  /** Set when a list or resource is its caller's own, so that nobody else may be given it, whatever a tenant has opened. */
  readonly own?: true;
}

/** What an agent did wrong in a tool call that was answered all the same, for metrics: never what it sent. */
export type CallFault = 'invalid_arguments' | 'unknown_tool';

/** What a tenant lets its audit log hold of a call: made in the worker, the one place that looks into arguments. */
export interface CallContent {
  /** The arguments, shortened, without what looks like a credential and without the tenant's secrets. */
  readonly arguments?: unknown;
  /** What the result is made of: kinds and sizes, never a value. */
  readonly result?: unknown;
}
