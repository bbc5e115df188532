import { randomUUID } from 'node:crypto';
import { NumberMap, type EgressContext, type FetchFailureReason, type FromRunnerFrame } from '#libs/protocol';
import type { EgressPolicy } from '../egress/egress-policy.js';
import type { EgressAnswer } from '../egress/egress-request.js';
import type { Egress } from '../egress/egress.js';
import type { StreamSink } from '../egress/streams/stream-sink.js';
import { ruleOfFailure } from '../egress/upstream-failure.js';
import type { WorkerProcess } from '../isolation/worker-driver.js';
import { UpstreamPeople, type PersonExchange } from './upstream-people.js';
import { serversOf, type WorkerBinding } from './worker-call.js';

type FetchFrame = Extract<FromRunnerFrame, { t: 'fetch' }>;
type NewsFrame = Extract<FromRunnerFrame, { t: 'drifted' | 'lists-changed' }>;

/** Whose requests these are, and what they may reach. */
export interface FetchOwner {
  readonly tenantId: string;
  /** What a release of the worker allows; undefined for what is none of its releases. @throws when it cannot be read */
  policyOf(digest: string): EgressPolicy | undefined;
  /** The servers that the worker serves a release as. */
  serversOf(digest: string): readonly string[];
}

/** What requests are made for. */
export interface FetchingExchange extends PersonExchange {
  /** Epoch milliseconds: when it ends as things stand, and when at the latest. */
  readonly deadlineMs: number;
  readonly lastMs: number;
  readonly context: EgressContext;
  readonly traceparent: string | undefined;
  addUpstream(ms: number): void;
  addEgress(bytes: number): void;
  stoppedBy(rule: string): void;
}

const FETCHES_MAX = 256;
/** The number that stands for no exchange: what a runner does by itself is short, or a stream that it listens to. */
export const NOBODY = 0;
const UNASKED = { short: { most: 32, ms: 5_000 }, stream: { most: 256, ms: 3_600_000 } } as const;
/** Bytes that a runner has not taken yet, past which it is not listened for any more. */
const PENDING_BYTES_MAX = 32 * 1024 * 1024;

interface Open {
  /** Without one, whether it is short or a stream. */
  exchange: FetchingExchange | keyof typeof UNASKED;
  /** Whether it goes on without its exchange. */
  readonly lasts: boolean;
  readonly controller: AbortController;
}

/** The upstream requests under way for one worker; each belongs to an open exchange and ends with it, but for a few. */
export class WorkerFetches {
  readonly #process: WorkerProcess;
  readonly #owner: FetchOwner;
  readonly #egress: Egress;
  readonly #open = new NumberMap<Open>();
  readonly #people: UpstreamPeople;
  /** Before the names of its upstream sessions, which other workers may use too. */
  readonly #id = randomUUID();
  #context: EgressContext | undefined;

  /** `open`: the exchanges of the worker that are open now. */
  constructor(
    process: WorkerProcess,
    owner: FetchOwner,
    egress: Egress,
    open: () => Iterable<PersonExchange> = () => [],
  ) {
    this.#process = process;
    this.#owner = owner;
    this.#egress = egress;
    this.#people = new UpstreamPeople(open);
  }

  /** Those of a worker that is bound to a route. */
  static ofBound(
    process: WorkerProcess,
    { route, manifests }: WorkerBinding,
    egress: Egress,
    open: () => Iterable<PersonExchange>,
  ): WorkerFetches {
    const policyOf = (digest: string) => manifests.get(digest)?.policy;
    const { tenantId } = route;
    const owner = { tenantId, policyOf, serversOf: (digest: string) => serversOf(route, digest) };
    return new WorkerFetches(process, owner, egress, open);
  }

  /** Takes what the worker has heard of the lists of a release of its own: that they may have changed, or that they were not approved. */
  heard({ t, digest }: NewsFrame): void {
    const { tenantId } = this.#owner;
    if (this.#owner.policyOf(digest) === undefined) return;
    if (t === 'drifted') this.#egress.drift.note({ tenantId, digest });
    else this.#egress.listNews.tell({ tenantId, servers: this.#owner.serversOf(digest) });
  }

  /** Takes what egress may do for the tenant now, for requests that no exchange waits for. */
  take(context: EgressContext): void {
    this.#context = context;
  }

  /** Makes a request for an exchange and hands the answer to the runner. */
  async start(frame: FetchFrame, body: Buffer, exchange: FetchingExchange | undefined): Promise<void> {
    const { f, s } = frame;
    const context = exchange?.context ?? (s === NOBODY ? this.#context : undefined);
    const lasts = frame.lasts === true;
    const whose = exchange ?? (lasts || frame.method === 'GET' ? 'stream' : 'short');
    if (context === undefined || this.#open.has(f) || this.#isFull(whose)) {
      this.#answer(f, { kind: 'failed', reason: context === undefined ? 'aborted' : 'busy', message: '' }, 0);
      return;
    }
    const controller = new AbortController();
    this.#open.set(f, { exchange: whose, lasts, controller });
    const started = performance.now();
    const answer = await this.#fetch(frame, body, { whose, context, signal: controller.signal });
    const ms = Math.round(performance.now() - started);
    exchange?.addUpstream(ms);
    if (answer.kind === 'failed' && answer.login === undefined && exchange !== undefined)
      noteRule(exchange, answer.reason, frame.url);
    if (this.#open.delete(f)) this.#answer(f, answer, ms);
  }

  /** The runner no longer waits for a request. */
  abort(f: number): void {
    const open = this.#open.get(f);
    this.#open.delete(f);
    open?.controller.abort();
  }

  /** Ends what an exchange left behind, but for what may go on without it: a call that waits for its client. */
  abortOf(exchange: FetchingExchange): void {
    for (const [f, open] of this.#open.filter((each) => each.exchange === exchange)) {
      if (open.lasts && !this.#isFull('stream')) open.exchange = 'stream';
      else this.abort(f);
    }
  }

  /** Ends everything: the worker is gone. */
  abortAll(): void {
    for (const f of this.#open.keys()) this.abort(f);
  }

  #isFull(whose: Open['exchange']): boolean {
    const most = typeof whose === 'string' ? UNASKED[whose].most : FETCHES_MAX;
    if (this.#open.size < most) return false;
    const kind = kindOf(whose);
    return this.#open.filter(({ exchange }) => kindOf(exchange) === kind).length >= most;
  }

  async #fetch(
    frame: FetchFrame,
    body: Buffer,
    { whose, context, signal }: { whose: Open['exchange']; context: EgressContext; signal: AbortSignal },
  ): Promise<EgressAnswer> {
    const { f, digest, tool, method, url, headers, stream, lasts, session } = frame;
    const exchange = typeof whose === 'string' ? undefined : whose;
    if (exchange !== undefined) this.#people.note(session, exchange);
    const leftMs = leftOf(lasts === true ? 'stream' : whose, stream === true);
    if (leftMs <= 0) return { kind: 'failed', reason: 'timeout', message: '' };
    try {
      const policy = this.#owner.policyOf(digest);
      if (policy === undefined)
        return { kind: 'failed', reason: 'blocked', message: 'the release is not one of this worker' };
      return await this.#egress.fetch({
        tenantId: this.#owner.tenantId,
        release: { digest, servers: this.#owner.serversOf(digest) },
        policy,
        context,
        tokens: exchange === undefined ? this.#people.tokensOf(session) : exchange.tokens,
        ...(session === undefined
          ? {}
          : { session: { name: `${this.#id} ${session}`, isAside: exchange === undefined } }),
        tool,
        method,
        url,
        headers,
        body,
        timeoutMs: Math.min(frame.timeoutMs, leftMs),
        signal,
        traceparent: exchange?.traceparent,
        moved: (bytes) => exchange?.addEgress(bytes),
        ...(stream === true ? { stream: this.#sinkOf(f) } : {}),
      });
    } catch {
      return { kind: 'failed', reason: 'blocked', message: 'the release cannot be read' }; // egress itself never throws; its policy may
    }
  }

  #sinkOf(f: number): StreamSink {
    return {
      began: (status, headers) => {
        if (this.#open.has(f)) this.#process.send({ t: 'fetch-began', f, status, headers });
      },
      data: (bytes) => {
        if (!this.#open.has(f) || this.#process.pendingBytes > PENDING_BYTES_MAX) return false;
        this.#process.send({ t: 'fetch-data', f }, bytes);
        return true;
      },
    };
  }

  #answer(f: number, answer: EgressAnswer, ms: number): void {
    if (answer.kind === 'fetched') {
      const { status, headers, stale } = answer;
      const mark = stale === undefined ? {} : { stale };
      this.#process.send({ t: 'fetched', f, status, headers, ms, ...mark }, answer.body);
    } else {
      const { kind: _, ...failure } = answer;
      this.#process.send({ t: 'fetch-failed', f, ...failure });
    }
  }
}

/** What requests are counted together with. */
function kindOf(whose: Open['exchange']): keyof typeof UNASKED | 'exchange' {
  return typeof whose === 'string' ? whose : 'exchange';
}

/** A stream may last for as long as progress can move the deadline. */
function leftOf(whose: Open['exchange'], streams: boolean): number {
  if (typeof whose === 'string') return UNASKED[whose].ms;
  return (streams ? whose.lastMs : whose.deadlineMs) - Date.now();
}

/** Says which rule of ours ended a request before it was sent, where one did. */
function noteRule(exchange: FetchingExchange, reason: FetchFailureReason, url: string): void {
  const rule = ruleOfFailure(reason, URL.parse(url)?.origin ?? '');
  if (rule !== undefined) exchange.stoppedBy(rule);
}
