import { toAppError, type ErrorCode } from '#libs/errors';
import { NumberMap, type FrameFailure, type FromRunnerFrame } from '#libs/protocol';
import type { Egress } from '../egress/egress.js';
import type { WorkerExit, WorkerProcess } from '../isolation/worker-driver.js';
import { SessionPrincipals } from './session-principals.js';
import { Liveness } from './liveness.js';
import type { WorkerBinding, WorkerCall } from './worker-call.js';
import { recordedContent } from './recorded-content.js';
import { StrayFrames } from './stray-frames.js';
import { ThirdParty } from './third-party.js';
import { passAsk } from './pass-ask.js';
import { WorkerExchange } from './worker-exchange.js';
import { NOBODY, WorkerFetches } from './worker-fetches.js';

const EXCHANGES_MAX = 1_000;
const PENDING_BYTES_MAX = 128 * 1024 * 1024;
/** How long sessions may rest before they are given up (the OWASP MCP list asks for 30 minutes). */
const SESSION_IDLE_MS = 30 * 60_000;

/** A worker bound to one tenant's route for its whole life. */
export class BoundWorker {
  readonly #process: WorkerProcess;
  readonly #binding: WorkerBinding;
  readonly #fetches: WorkerFetches;
  /** There where it runs code of others. */
  readonly #thirdParty: ThirdParty | undefined;
  readonly #exchanges = new NumberMap<WorkerExchange>();
  readonly #principals = new SessionPrincipals();
  readonly #liveness = new Liveness();
  readonly #startedAtMs = Date.now();
  #last = 0;
  readonly #stray = new StrayFrames(() => this.#process.kill());
  #bound = false;
  /** What calls are told that end with it. */
  lost: FrameFailure = { code: 'worker_failed' };
  #usedAtMs = Date.now();

  constructor(process: WorkerProcess, binding: WorkerBinding, egress: Egress, onExit: (exit: WorkerExit) => void) {
    this.#process = process;
    this.#binding = binding;
    this.#fetches = WorkerFetches.ofBound(process, binding, egress, () => this.#exchanges.values());
    const stopped = (rule: string): void => this.#exchanges.values().forEach((exchange) => exchange.stoppedBy(rule));
    const thirdParty = binding.archives.size > 0 ? new ThirdParty(process, binding, egress, stopped) : undefined;
    this.#thirdParty = thirdParty;
    const redact = thirdParty === undefined ? {} : { redact: (line: string) => thirdParty.text(line) };
    process.assign(
      { tenantId: binding.route.tenantId, ...redact },
      {
        onFrame: (frame, payload) => this.#receive(frame, payload),
        onExit: (exit) => this.#exited(exit, onExit),
      },
    );
    const manifests = [...binding.manifests.values()];
    process.send(
      {
        t: 'bind',
        atMs: Date.now(),
        mounts: binding.route.mounts,
        ...(binding.route.view === undefined ? {} : { view: binding.route.view }),
        manifests: manifests.map(({ digest, bytes }) => ({ digest, bytes: bytes.length })),
      },
      Buffer.concat(manifests.map(({ bytes }) => bytes)),
    );
    for (const [digest, archive] of binding.archives) process.send({ t: 'artefact', digest }, archive);
  }

  get route(): WorkerBinding['route'] {
    return this.#binding.route;
  }

  get alive(): boolean {
    return this.#process.alive;
  }

  /** Epoch milliseconds of its last use. */
  get usedAtMs(): number {
    return this.#usedAtMs;
  }

  /** How many exchanges are open in it. */
  get exchanges(): number {
    return this.#exchanges.size;
  }

  /** How many sessions live in it that would be lost with it. */
  get sessions(): number {
    return this.#principals.size;
  }

  /** Sends a call to the runner; returns its cancel. Never throws. */
  deliver(call: WorkerCall): () => void {
    this.#usedAtMs = Date.now();
    const refusal = this.#findRefusal(call);
    if (refusal !== undefined) {
      const retry = refusal === 'unavailable' ? { retryAfterSeconds: 1 } : {};
      call.reply.onFail({ code: refusal, ...retry }, 'refused', false);
      return () => undefined;
    }
    this.#thirdParty?.take(call.context);
    this.#fetches.take(call.context);
    const exchange = new WorkerExchange(++this.#last, call, this.#process);
    this.#exchanges.set(exchange.s, exchange);
    this.#process.send(exchange.frame(), call.payload);
    call.reply.onOpen?.((change) => this.#process.send({ t: 'changed', s: exchange.s, change }));
    return () => this.#cancel(exchange);
  }

  /** Ends calls that are past their deadline, and the whole worker when it does not let go of one. */
  sweep(nowMs: number): void {
    this.#stray.forget();
    for (const exchange of this.#exchanges.values()) {
      if (exchange.deadlineMs > nowMs) continue;
      exchange.expire();
      this.#cancel(exchange);
    }
    const stuck = this.#exchanges.values().some((exchange) => exchange.isStuck(nowMs));
    const unbound = !this.#bound && nowMs > this.#startedAtMs + this.#process.startMsMax;
    if (stuck || unbound || this.#isCaught(nowMs)) this.#process.kill();
  }

  /** Whether it has rested for so long that it may stop. */
  isForgotten(nowMs: number, idleMs: number): boolean {
    return (
      this.#exchanges.size === 0 &&
      nowMs - this.#usedAtMs > (this.sessions > 0 ? Math.max(idleMs, SESSION_IDLE_MS) : idleMs)
    );
  }

  /** Lets it end by itself. */
  stop(): void {
    this.#process.stop();
  }

  /** Ends it now; what runs in it fails. */
  kill(): void {
    this.#process.kill();
  }

  /** Whether its thread is caught in something that does not end, which holds up every call in it. */
  #isCaught(nowMs: number): boolean {
    if (this.#exchanges.size === 0 || !this.#bound) {
      this.#liveness.heard(nowMs); // silence says nothing where there is nothing to do
      return false;
    }
    const verdict = this.#liveness.judge(nowMs);
    if (verdict === 'ask') this.#process.send({ t: 'ping' });
    return verdict === 'give-up';
  }

  #findRefusal({ envelope: { sessionId, principal } }: WorkerCall): ErrorCode | undefined {
    if (this.#exchanges.size >= EXCHANGES_MAX || this.#process.pendingBytes > PENDING_BYTES_MAX) return 'unavailable';
    if (sessionId === undefined) return undefined;
    try {
      this.#principals.claim(sessionId, principal);
      return undefined;
    } catch (error) {
      return toAppError(error).code;
    }
  }

  #cancel(exchange: WorkerExchange): void {
    if (!this.#exchanges.has(exchange.s) || !exchange.leave(Date.now())) return;
    this.#process.send({ t: 'cancel', s: exchange.s });
  }

  #receive(frame: FromRunnerFrame, payload: Buffer): void {
    this.#liveness.heard(Date.now());
    switch (frame.t) {
      case 'ready':
      case 'pong':
        this.#stray.note();
        return;
      case 'bound':
        if (this.#bound) this.#stray.note();
        else for (const exchange of this.#exchanges.values()) exchange.begin();
        this.#bound = true;
        return;
      case 'part':
        return this.#part(frame.s, payload);
      case 'done':
        return this.#close(frame.s, (exchange) => this.#done(exchange, frame, payload));
      case 'fail':
        return this.#close(frame.s, (exchange) => this.#failed(exchange, frame));
      case 'ask':
        return void passAsk(this.#process, this.#exchangeOf(frame.s), frame, payload);
      case 'fetch':
        void this.#fetches.start(frame, payload, frame.s === NOBODY ? undefined : this.#exchangeOf(frame.s));
        return;
      case 'fetch-abort':
        this.#fetches.abort(frame.f);
        return;
      case 'drifted':
      case 'lists-changed':
        return this.#fetches.heard(frame);
      case 'built':
        this.#process.kill(); // a bound runner builds nothing: this one is no longer ours
    }
  }

  #part(s: number, payload: Buffer): void {
    const exchange = this.#exchanges.get(s);
    if (exchange === undefined) this.#stray.note();
    else if (!exchange.part(this.#shown(payload))) this.#process.kill();
  }

  /** What a question is for; one for nobody is answered, and counts. */
  #exchangeOf(s: number): WorkerExchange | undefined {
    const exchange = this.#exchanges.get(s);
    if (exchange === undefined) this.#stray.note();
    return exchange;
  }

  #close(s: number, finish: (exchange: WorkerExchange) => void): void {
    const exchange = this.#exchanges.get(s);
    if (exchange === undefined) return this.#stray.note();
    this.#exchanges.delete(s);
    this.#usedAtMs = Date.now();
    this.#fetches.abortOf(exchange);
    exchange.addEgress(this.#thirdParty?.takeEgressBytes() ?? 0);
    finish(exchange);
  }

  #done(exchange: WorkerExchange, frame: Extract<FromRunnerFrame, { t: 'done' }>, payload: Buffer): void {
    const { t: _, s: __, outcome, content, ...told } = frame;
    const { operation, sessionId } = exchange.call.envelope;
    if (operation === 'close' && sessionId !== undefined) this.#principals.release(sessionId);
    const recorded = content === undefined ? undefined : recordedContent(exchange.call, content);
    exchange.done(this.#shown(payload), outcome, { ...told, ...(recorded && { content: recorded }) });
  }

  #failed(exchange: WorkerExchange, { failure, outcome }: Extract<FromRunnerFrame, { t: 'fail' }>): void {
    const { sessionId } = exchange.call.envelope;
    if (failure.code === 'session_not_found' && sessionId !== undefined) this.#principals.release(sessionId);
    const shown =
      failure.message === undefined ? {} : { message: this.#thirdParty?.text(failure.message) ?? failure.message };
    exchange.fail({ ...failure, ...shown }, outcome, outcome === 'worker_failed');
  }

  #shown(payload: Buffer): Buffer {
    return this.#thirdParty?.message(payload) ?? payload;
  }

  #exited(exit: WorkerExit, onExit: (exit: WorkerExit) => void): void {
    this.#fetches.abortAll();
    const open = this.#exchanges.values();
    this.#exchanges.clear();
    onExit(exit);
    for (const exchange of open) exchange.fail(this.lost, 'worker_failed', this.#bound);
  }
}
