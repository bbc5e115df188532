import type { FetchFailureReason, FromRunnerFrame } from '#libs/protocol';
import type { EgressAnswer } from '../egress/egress-request.js';
import type { Egress } from '../egress/egress.js';
import type { WorkerProcess } from '../isolation/worker-driver.js';
import type { WorkerBinding } from './worker-call.js';
import type { WorkerExchange } from './worker-exchange.js';

type FetchFrame = Extract<FromRunnerFrame, { t: 'fetch' }>;

const FETCHES_MAX = 256;

/** The upstream requests under way for one worker; each belongs to an open exchange and ends with it. */
export class WorkerFetches {
  readonly #process: WorkerProcess;
  readonly #binding: WorkerBinding;
  readonly #egress: Egress;
  readonly #open = new Map<number, { readonly exchange: WorkerExchange; readonly controller: AbortController }>();

  constructor(process: WorkerProcess, binding: WorkerBinding, egress: Egress) {
    this.#process = process;
    this.#binding = binding;
    this.#egress = egress;
  }

  /** Makes a request for an exchange and hands the answer to the runner. */
  async start(frame: FetchFrame, body: Buffer, exchange: WorkerExchange | undefined): Promise<void> {
    if (exchange === undefined || this.#open.has(frame.f) || this.#open.size >= FETCHES_MAX) {
      this.#answer(frame.f, { kind: 'failed', reason: exchange === undefined ? 'aborted' : 'busy', message: '' }, 0);
      return;
    }
    const controller = new AbortController();
    this.#open.set(frame.f, { exchange, controller });
    const started = performance.now();
    const answer = await this.#fetch(frame, body, exchange, controller.signal);
    const ms = Math.round(performance.now() - started);
    exchange.addUpstream(ms);
    if (answer.kind === 'failed') noteRule(exchange, answer.reason, frame.url);
    if (this.#open.delete(frame.f)) this.#answer(frame.f, answer, ms);
  }

  /** The runner no longer waits for a request. */
  abort(f: number): void {
    const open = this.#open.get(f);
    this.#open.delete(f);
    open?.controller.abort();
  }

  /** Ends what an exchange left behind. */
  abortOf(exchange: WorkerExchange): void {
    if (this.#open.size === 0) return;
    for (const [f, open] of this.#open) if (open.exchange === exchange) this.abort(f);
  }

  /** Ends everything: the worker is gone. */
  abortAll(): void {
    for (const f of this.#open.keys()) this.abort(f);
  }

  async #fetch(frame: FetchFrame, body: Buffer, exchange: WorkerExchange, signal: AbortSignal): Promise<EgressAnswer> {
    const manifest = this.#binding.manifests.get(frame.digest);
    if (manifest === undefined)
      return { kind: 'failed', reason: 'blocked', message: 'the release is not one of this worker' };
    const timeoutMs = Math.min(frame.timeoutMs, exchange.deadlineMs - Date.now());
    if (timeoutMs <= 0) return { kind: 'failed', reason: 'timeout', message: '' };
    const { tool, method, url, headers } = frame;
    const { tenantId, mounts } = this.#binding.route;
    const servers = mounts.filter((mount) => mount.digest === frame.digest).map((mount) => mount.serverSlug);
    try {
      const { policy } = manifest;
      return await this.#egress.fetch({
        tenantId,
        release: { digest: frame.digest, servers },
        policy,
        context: exchange.call.context,
        tool,
        method,
        url,
        headers,
        body,
        timeoutMs,
        signal,
        traceparent: exchange.traceparent,
      });
    } catch {
      return { kind: 'failed', reason: 'blocked', message: 'the release cannot be read' }; // egress itself never throws; its policy may
    }
  }

  #answer(f: number, answer: EgressAnswer, ms: number): void {
    if (answer.kind === 'fetched') {
      const { status, headers, stale } = answer;
      const mark = stale === undefined ? {} : { stale };
      this.#process.send({ t: 'fetched', f, status, headers, ms, ...mark }, answer.body);
    } else {
      const { reason, message, retryAtMs } = answer;
      this.#process.send({ t: 'fetch-failed', f, reason, message, ...(retryAtMs === undefined ? {} : { retryAtMs }) });
    }
  }
}

/** Says which rule of ours ended a request before it was sent, where one did. */
function noteRule(exchange: WorkerExchange, reason: FetchFailureReason, url: string): void {
  if (reason === 'open') exchange.stoppedBy(`breaker:${URL.canParse(url) ? new URL(url).origin : ''}`);
  else if (reason === 'blocked' || reason === 'busy' || reason === 'too_large') exchange.stoppedBy(`egress.${reason}`);
}
