import type { VersionRange } from './protocol-versions.js';
import type { ErrorCode, Problem } from '#libs/errors';
import type { CallFacts } from './call-facts.js';
import type { AskSubject } from './kept-results.js';
import type { DocumentChange } from './knowledge.js';
import type { BuildReport } from './manifest.js';
import type { TokenAnswer, TokenAsk } from './person-token.js';
import type { ResultGuard } from './result-guard.js';
import type { EgressContext } from './egress-context.js';
import type { OrderAnswer, RuntimeOrder } from './runtime-operation.js';
import type { UpstreamErrorClass, UpstreamState, UpstreamsOf } from './upstream-state.js';

/** One release as a route serves it. `prefix` is `''` on a server's own URL and `{server}__` on the tenant's. */
export interface Mount {
  readonly serverSlug: string;
  readonly releaseId: string;
  /** Digest of the manifest (`sha256:…`). */
  readonly digest: string;
  readonly prefix: string;
  /** Where it stands, tools that write are left out: the server has not opted in to them. */
  readonly only?: 'read';
  /** On the tenant's own URL without a profile: most characters of a name; longer ones are listed as aliases. */
  readonly nameMax?: number;
}

/** Which worker answers: one tenant, one ordered set of mounts. Workers are bound to its key and never rebound. */
export interface RouteBinding {
  readonly tenantId: string;
  readonly mounts: readonly Mount[];
  /** Digest of the view (`ToolView`) that a profile has of them; undefined where everything is shown as it is. */
  readonly view?: string;
  /** SHA-256 over tenant, mounts and view; the name of the worker's binding. */
  readonly key: string;
}

/** What a call is allowed to be, signed by its sender (`intake` refuses an unsigned, altered or expired one). */
export interface Envelope {
  readonly route: RouteBinding;
  readonly era: 'modern' | 'legacy';
  /** `message`: one MCP message; `listen`: the session's GET stream; `close`: end the session. */
  readonly operation: 'message' | 'listen' | 'close';
  /** Legacy era only. */
  readonly sessionId?: string;
  /** Legacy era only: the message came in a batch, which is for sessions of 2025-03-26 alone. */
  readonly batched?: true;
  /** Stable text of the principal (`principalBinding`); never a credential. */
  readonly principal: string;
  /** Epoch milliseconds after which nobody waits any more. */
  readonly deadlineMs: number;
  /** How progress moves the deadline: to so long after it, and to no later than this; without it, it does not. */
  readonly progress?: { readonly waitMs: number; readonly lastMs: number };
  /** Version of the egress context (secrets, allowances) the gateway knows. */
  readonly contextVersion: string;
  /** The request's `Mcp-Param-*` headers, lower-case names. */
  readonly parameterHeaders?: Readonly<Record<string, string>>;
  readonly traceparent?: string;
  /** Set when the audit record is to hold what was asked and answered, redacted. */
  readonly recordsContent?: true;
  /** How many bytes of an answer a result shows; what is larger is kept by the caller. Without it, nothing is kept. */
  readonly inlineBytes?: number;
  /** What the answer may hold; anything without it. */
  readonly guard?: ResultGuard;
}

/** How a call ended, for breaker, metrics and audit. */
export type OutcomeClass =
  | 'ok'
  | 'tool_error'
  | 'protocol_error'
  | 'cancelled'
  | 'deadline'
  | 'worker_failed'
  | 'refused';

/** An error as it crosses a frame. */
export interface FrameFailure {
  readonly code: ErrorCode;
  readonly message?: string;
  readonly problems?: readonly Problem[];
  readonly retryAfterSeconds?: number;
}

/** A release of a tenant whose upstream lists, or may list, what was not approved. */
export interface DriftHint {
  readonly tenantId: string;
  readonly digest: string;
}

/** A circuit breaker of a tenant that has opened, or closed again. */
export interface BreakerChange {
  readonly tenantId: string;
  readonly origin: string;
  /** Digest of the release whose requests it counts. */
  readonly release?: string;
  readonly state: 'open' | 'closed';
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Of one that opened: the class of the last error, and when the upstream is tried again. */
  readonly lastError?: UpstreamErrorClass;
  readonly retryAtMs?: number;
}

/** Caller (gateway, control-plane, background) → worker-runtime. `s` numbers the exchange on this connection. */
export type CallerFrame =
  /** First frame on a connection, answering `hello`; nothing else counts before it (`connectionProof`). */
  | {
      readonly t: 'prove';
      readonly challenge: string;
      readonly proof: string;
      /** The version that the caller has chosen of the runtime's; `UNSAID` without it. */
      readonly version?: number;
    }
  /** Payload: the MCP message (empty for `listen` and `close`). */
  | { readonly t: 'call'; readonly s: number; readonly envelope: Envelope }
  /** The caller left; the call's signal fires. */
  | { readonly t: 'cancel'; readonly s: number }
  /**
   * Answers `want`. Payload: the manifests' bytes, one after the other, as `manifests` lists them. When a bundle's manifest
   * was wanted alone, its archive comes with it.
   */
  | {
      readonly t: 'supply';
      readonly s: number;
      readonly manifests: ReadonlyArray<{ readonly digest: string; readonly bytes: number }>;
      readonly context?: EgressContext;
    }
  /** Answers `ask`. Payload: the answer, empty where it failed. */
  | { readonly t: 'answer'; readonly s: number; readonly a: number; readonly failure?: FrameFailure }
  /** Documents have changed that this open stream may show. */
  | { readonly t: 'changed'; readonly s: number; readonly change: DocumentChange }
  /** Answers `token`. `a` is the ask's number. */
  | { readonly t: 'token'; readonly s: number; readonly a: number; readonly answer: TokenAnswer }
  /** Build a release in a worker of the tenant. Payload: `sourceBytes` bytes of the release source (JSON), then the artefact. */
  | {
      readonly t: 'build';
      readonly s: number;
      readonly tenantId: string;
      readonly serverSlug: string;
      readonly sourceBytes: number;
      readonly deadlineMs: number;
      /** Set when the artefact is code, which the build starts; `npm` when it installs that code first. */
      readonly thirdParty?: true | 'npm';
      /** Set when the build asks upstream servers: what egress may do for the tenant. */
      readonly context?: EgressContext;
    }
  /** Ask how a tenant's upstreams are doing, as this runtime sees them. */
  | {
      readonly t: 'upstreams';
      readonly s: number;
      readonly tenantId: string;
      readonly origins: readonly string[];
      readonly of?: UpstreamsOf;
    }
  /** Ask which releases' workers met definitions at an upstream that were not approved, since anybody last asked so. */
  | { readonly t: 'drift-hints'; readonly s: number }
  /** Ask which breakers have opened or closed since anybody last asked so. */
  | { readonly t: 'breaker-changes'; readonly s: number }
  /** An operator's order to this runtime. */
  | { readonly t: 'order'; readonly s: number; readonly order: RuntimeOrder }
  /** Stop every worker and forget every secret of a tenant. `suspended`: what runs is told that, and not that its worker stopped. */
  | { readonly t: 'evict'; readonly s: number; readonly tenantId: string; readonly suspended?: true };

/** Worker-runtime → caller. */
export type RuntimeFrame =
  /** First frame on a connection. */
  | {
      readonly t: 'hello';
      readonly runtimeId: string;
      /** For callers that know no range. */
      readonly version: number;
      /** What the runtime speaks; `version` alone without it. */
      readonly versions?: VersionRange;
      /** What its clock says, by which callers set deadlines. */
      readonly atMs?: number;
      readonly challenge: string;
    }
  /** The caller has chosen a version that is not spoken here; it is proved to nobody, and ends the connection. */
  | { readonly t: 'unspoken'; readonly message: string }
  /** Answers `prove` when it is one: the runtime has the key too, so it may be sent what is secret. */
  | { readonly t: 'proved'; readonly proof: string }
  /** Send these before the call can start. */
  | { readonly t: 'want'; readonly s: number; readonly digests: readonly string[]; readonly context: boolean }
  /** Payload: a `KnowledgeQuestion` or `ResultQuestion` of the call's worker; the caller knows whose call it is. */
  | {
      readonly t: 'ask';
      readonly s: number;
      readonly a: number;
      readonly serverSlug: string;
      readonly about?: AskSubject;
    }
  /** An open exchange needs a token of the person who made it; `a` numbers the ask on this connection. */
  | { readonly t: 'token'; readonly s: number; readonly a: number; readonly ask: TokenAsk }
  /** A message before the final one (progress, log, server request, GET-stream event). Payload: the MCP message. */
  | { readonly t: 'part'; readonly s: number }
  /** The exchange is over. Payload: the final MCP message, or empty (notification accepted, stream ended). */
  | {
      readonly t: 'done';
      readonly s: number;
      readonly outcome: OutcomeClass;
      readonly upstreamMs?: number;
      readonly facts?: CallFacts;
    }
  /** The exchange failed in our hands; `started` tells whether the tool may have run. */
  | {
      readonly t: 'fail';
      readonly s: number;
      readonly failure: FrameFailure;
      readonly outcome: OutcomeClass;
      readonly started: boolean;
      readonly facts?: CallFacts;
    }
  /** Payload: the manifest, then the archive that the build has packed, if it did. */
  | {
      readonly t: 'built';
      readonly s: number;
      readonly digest: string;
      readonly report: BuildReport;
      readonly archiveBytes?: number | undefined;
    }
  | { readonly t: 'upstreams'; readonly s: number; readonly upstreams: readonly UpstreamState[] }
  | { readonly t: 'drift-hints'; readonly s: number; readonly hints: readonly DriftHint[] }
  | { readonly t: 'breaker-changes'; readonly s: number; readonly changes: readonly BreakerChange[] }
  | { readonly t: 'ordered'; readonly s: number; readonly answer: OrderAnswer }
  /**
   * Whether the runtime takes new work, from now on. `stopping`: nor anything of its sessions; what it works on it ends,
   * and then itself.
   */
  | { readonly t: 'draining'; readonly draining: boolean; readonly stopping?: true }
  /**
   * To every caller: what these servers of a tenant listed before may be another list now. Callers of before this frame find
   * no exchange for it, and drop it.
   */
  | { readonly t: 'lists-changed'; readonly tenantId: string; readonly servers: readonly string[] }
  | { readonly t: 'ok'; readonly s: number };
