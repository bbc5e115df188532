import { builtParts } from './built-parts.js';
import type { AskSubject } from './kept-results.js';
import type { DocumentChange } from './knowledge.js';
import type { BuildReport } from './manifest.js';
import type { CallFacts } from './call-facts.js';
import type { BreakerChange, DriftHint, FrameFailure, OutcomeClass, RuntimeFrame } from './messages.js';
import { NumberMap } from './number-map.js';
import { NO_PERSON, type PersonTokens } from './person-token.js';
import type { OrderAnswer } from './runtime-operation.js';
import type { UpstreamState } from './upstream-state.js';

/** One exchange with a runtime, as its caller waits for it; exactly one of the last three is called. */
export interface RuntimeExchange {
  readonly tenantId: string;
  /** Epoch milliseconds after which the caller is answered even if the runtime is silent. */
  readonly deadlineMs: number;
  /** Manifests the runtime may ask for. */
  readonly digests: ReadonlySet<string>;
  /** Answers with tokens of the person whose exchange it is; without it, it is nobody's. */
  readonly tokens?: PersonTokens | undefined;
  onPart(message: Buffer): void;
  onDone(message: Buffer, outcome: OutcomeClass, upstreamMs: number | undefined, facts?: CallFacts): void;
  /** `archive` is what the build has packed, if it did. */
  onBuilt(manifest: Buffer, digest: string, report: BuildReport, archive?: Buffer): void;
  onFail(failure: FrameFailure, outcome: OutcomeClass, started: boolean, facts?: CallFacts): void;
  /** Only of calls: answers what the worker asks about documents. */
  onAsk?(serverSlug: string, question: Buffer, about?: AskSubject): Promise<Buffer>;
  /** Only of calls: is given how to tell the worker of changed documents. */
  onOpen?(tell: (change: DocumentChange) => void): void;
  /** Only where upstreams were asked about. */
  onUpstreams?(upstreams: readonly UpstreamState[]): void;
  /** Only of orders. */
  onOrdered?(answer: OrderAnswer): void;
  /** Only where hints of drift were asked for. */
  onDriftHints?(hints: readonly DriftHint[]): void;
  /** Only where changes of breakers were asked for. */
  onBreakerChanges?(changes: readonly BreakerChange[]): void;
}

type AnswerFrame = Exclude<
  RuntimeFrame,
  { t: 'hello' | 'proved' | 'want' | 'ask' | 'unspoken' | 'token' | 'draining' | 'lists-changed' }
>;

/** How long the client waits past a deadline for the runtime's own answer. */
const GRACE_MS = 1_000;

/** The exchanges open on one connection, by number. */
export class RuntimeExchanges {
  readonly #open = new NumberMap<RuntimeExchange>();
  /** Numbers of those that wait for what their runtime has asked for, and so cannot have begun. */
  readonly #unsupplied = new Set<number>();
  /** How many are open of each tenant that has any. */
  readonly #ofTenants = new Map<string, number>();
  #last = 0;

  get size(): number {
    return this.#open.size;
  }

  sizeOf(tenantId: string): number {
    return this.#ofTenants.get(tenantId) ?? 0;
  }

  /** Numbers an exchange. */
  add(exchange: RuntimeExchange): number {
    const s = ++this.#last;
    this.#open.set(s, exchange);
    this.#ofTenants.set(exchange.tenantId, this.sizeOf(exchange.tenantId) + 1);
    return s;
  }

  /** The exchange with a number, while it is open. */
  find(s: number): RuntimeExchange | undefined {
    return this.#open.get(s);
  }

  /** Notes that an exchange waits for what its runtime has asked for, until it `isSupplied`. */
  isUnsupplied(s: number): void {
    if (this.#open.has(s)) this.#unsupplied.add(s);
  }

  /** Notes that an exchange may begin. */
  isSupplied(s: number): void {
    this.#unsupplied.delete(s);
  }

  /** Whose tokens an exchange may use, by what its own caller knows and never by what the runtime says. */
  tokensOf(s: number): PersonTokens {
    return this.#open.get(s)?.tokens ?? NO_PERSON;
  }

  /** Hands a frame to its exchange; every frame but `part` ends it. Frames of ended exchanges are dropped. */
  receive(frame: AnswerFrame, payload: Buffer): void {
    const exchange = this.#open.get(frame.s);
    if (exchange === undefined) return;
    if (frame.t === 'part') {
      exchange.onPart(payload);
      return;
    }
    this.#forget(frame.s, exchange);
    switch (frame.t) {
      case 'done':
        return exchange.onDone(payload, frame.outcome, frame.upstreamMs, frame.facts);
      case 'fail':
        return exchange.onFail(frame.failure, frame.outcome, frame.started, frame.facts);
      case 'built':
        return answerBuilt(exchange, frame, payload);
      case 'upstreams':
        if (exchange.onUpstreams === undefined) return exchange.onFail({ code: 'internal' }, 'worker_failed', false);
        return exchange.onUpstreams(frame.upstreams);
      case 'drift-hints':
        if (exchange.onDriftHints === undefined) return exchange.onFail({ code: 'internal' }, 'worker_failed', false);
        return exchange.onDriftHints(frame.hints);
      case 'breaker-changes':
        if (exchange.onBreakerChanges === undefined)
          return exchange.onFail({ code: 'internal' }, 'worker_failed', false);
        return exchange.onBreakerChanges(frame.changes);
      case 'ordered':
        if (exchange.onOrdered === undefined) return exchange.onFail({ code: 'internal' }, 'worker_failed', false);
        return exchange.onOrdered(frame.answer);
      case 'ok':
        return exchange.onDone(payload, 'ok', undefined);
    }
  }

  /** Ends one exchange with a failure. */
  fail(s: number, failure: FrameFailure, outcome: OutcomeClass, started: boolean): void {
    const exchange = this.#open.get(s);
    if (exchange === undefined) return;
    this.#forget(s, exchange);
    exchange.onFail(failure, outcome, started);
  }

  /** Ends all of them: the connection is gone, and nobody knows how far those came that had what they need. */
  failAll(failure: FrameFailure, outcome: OutcomeClass): void {
    const open = this.#open.entries().map(([s, exchange]) => ({ exchange, started: !this.#unsupplied.has(s) }));
    this.#open.clear();
    this.#ofTenants.clear();
    this.#unsupplied.clear();
    for (const { exchange, started } of open) exchange.onFail(failure, outcome, started);
  }

  /** Ends what is past its deadline and its grace; returns the numbers. */
  failOverdue(nowMs: number): number[] {
    const overdue = this.#open.filter(({ deadlineMs }) => deadlineMs + GRACE_MS <= nowMs).map(([s]) => s);
    for (const s of overdue) this.fail(s, { code: 'deadline_exceeded' }, 'deadline', true);
    return overdue;
  }

  #forget(s: number, { tenantId }: RuntimeExchange): void {
    this.#open.delete(s);
    this.#unsupplied.delete(s);
    const left = this.sizeOf(tenantId) - 1;
    if (left > 0) this.#ofTenants.set(tenantId, left);
    else this.#ofTenants.delete(tenantId);
  }
}

function answerBuilt(
  exchange: RuntimeExchange,
  { digest, report, archiveBytes }: Extract<RuntimeFrame, { t: 'built' }>,
  payload: Buffer,
): void {
  const { manifest, archive } = builtParts(payload, archiveBytes);
  exchange.onBuilt(manifest, digest, report, archive);
}
