import {
  SdkError,
  SdkErrorCode,
  type Progress,
  type ProtocolError,
  type Request,
  type Result,
} from '@modelcontextprotocol/client';
import type { DeskCall } from './call-desk.js';
import type { ModernClient } from '../peer/modern-client.js';
import type { PeerRequest } from '../peer/peer.js';

/** Makes the call at its server. */
export type RunCall = (
  limits: Pick<PeerRequest, 'signal' | 'onProgress' | 'timeoutMs' | 'timeoutMaxMs'>,
) => Promise<Result>;

/** How a round ended: with the call's result, or with what it needs first. */
export type Round =
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'asks'; readonly inputRequests: Readonly<Record<string, object>> };

/** What a round needs of the request that waits for it. */
export type RoundRequest = Pick<PeerRequest, 'signal' | 'onProgress' | 'timeoutMs' | 'timeoutMaxMs'>;

interface Question {
  readonly asked: object;
  readonly answer: (result: Result) => void;
}

/** Servers that ask several things at once send them one by one: as long as this is waited for the next. */
const GATHER_MS = 10;
/** Longest life of a call with all its questions. */
const LIFE_MS = 900_000;
const QUESTIONS_MAX = 32;
/** A 2025-era server that knows keys says here which one a question has in the 2026 era. */
const KEY_META = 'wharf/input-key';
const KEY = /^[\w.-]{1,64}$/;
/** Members that questions have in the 2025 era only. */
const OF_2025 = new Set(['_meta', 'task', 'elicitationId']);

/**
 * One call at a 2025-era server, over as many requests of a 2026-era client as it needs. While a request waits, it runs;
 * when the server asks, the request is answered with the questions and the call waits for the next one.
 *
 *     running ── asks ──► waiting ── answered ──► running ── result ──► ended
 */
export class OpenCall implements DeskCall {
  readonly #questions = new Map<string, Question>();
  readonly #stop = new AbortController();
  readonly #outcome: Promise<Result>;
  #given: Readonly<Record<string, unknown>> = {};
  #asked = 0;
  #wake: (() => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;
  #progress: ((progress: Progress) => void) | undefined;
  #lacking: ProtocolError | undefined;
  client: ModernClient | undefined;
  round = 0;
  /** Resolves when the server has ended the call, however. */
  readonly ended: Promise<void>;

  constructor(run: RunCall) {
    const limits = { signal: this.#stop.signal, timeoutMs: LIFE_MS, timeoutMaxMs: LIFE_MS };
    const failed = new Promise<never>((_, reject) => (this.#fail = reject));
    const outcome = this.#judged(run({ ...limits, onProgress: (progress) => this.#progress?.(progress) }));
    this.#outcome = Promise.race([failed, outcome]);
    this.#outcome.catch(() => undefined); // told to whoever waits
    this.ended = outcome.then(
      () => undefined,
      () => undefined,
    );
  }

  ask(request: Request, signal: AbortSignal): Promise<Result> {
    const { key, asked } = this.#name(request);
    const given = this.#given[key];
    if (isObject(given)) return Promise.resolve(given);
    if (this.#questions.size >= QUESTIONS_MAX) return Promise.reject(new Error('too many questions at once'));
    return new Promise((resolve, reject) => {
      const forget = (): void => void this.#questions.delete(key);
      signal.addEventListener('abort', () => (forget(), reject(new Error('taken back'))), { once: true });
      this.#questions.set(key, { asked, answer: resolve });
      setTimeout(() => this.#wake?.(), GATHER_MS);
    });
  }

  /** Notes that the server wanted what the client does not offer: if the call fails, then of that. */
  lacks(error: ProtocolError): void {
    this.#lacking ??= error;
  }

  /** Gives up: the server is told that the call is cancelled. */
  abandon(): void {
    this.#stop.abort();
  }

  /** Hands over the client's answers and waits for the end of the round. @throws what the call ended with */
  async next(client: ModernClient, request: RoundRequest): Promise<Round> {
    this.client = client;
    this.round += 1;
    this.#answer(client.inputResponses);
    const onGone = (): void => this.abandon();
    if (request.signal.aborted) onGone();
    request.signal.addEventListener('abort', onGone, { once: true });
    const limit = this.#limit(request);
    try {
      const woken = new Promise<'asks'>((resolve) => (this.#wake = () => this.#questions.size > 0 && resolve('asks')));
      if (this.#questions.size > 0) this.#wake?.();
      const ended = await Promise.race([this.#outcome, woken]);
      return ended === 'asks' ? { kind: 'asks', inputRequests: this.#open() } : { kind: 'result', result: ended };
    } finally {
      limit();
      request.signal.removeEventListener('abort', onGone);
      this.client = undefined;
      this.#wake = undefined;
      this.#progress = undefined;
    }
  }

  async #judged(outcome: Promise<Result>): Promise<Result> {
    try {
      const result = await outcome;
      if (result['isError'] === true && this.#lacking !== undefined) throw this.#lacking;
      return result;
    } catch (error) {
      throw this.#lacking ?? error;
    }
  }

  /** A round lasts as long as its request may, anew after each progress. The answer ends the watch. */
  #limit({ timeoutMs, timeoutMaxMs, onProgress }: RoundRequest): () => void {
    const give = (): void => {
      this.#fail?.(new SdkError(SdkErrorCode.RequestTimeout, 'The server did not answer in time.'));
      this.abandon();
    };
    const timer = setTimeout(give, timeoutMs);
    const last = setTimeout(give, timeoutMaxMs);
    this.#progress = (progress) => {
      timer.refresh();
      onProgress?.(progress);
    };
    return () => {
      clearTimeout(timer);
      clearTimeout(last);
    };
  }

  #answer(responses: Readonly<Record<string, unknown>>): void {
    this.#given = this.round === 1 ? responses : {};
    for (const [key, { answer }] of this.#questions) {
      const response = responses[key];
      if (!isObject(response)) continue;
      this.#questions.delete(key);
      answer(response);
    }
  }

  #open(): Record<string, object> {
    return Object.fromEntries([...this.#questions].map(([key, { asked }]) => [key, asked]));
  }

  #name({ method, params = {} }: Request): { key: string; asked: object } {
    this.#asked += 1;
    const named: unknown = params._meta?.[KEY_META];
    const own = Object.fromEntries(Object.entries(params).filter(([name]) => !OF_2025.has(name)));
    const asked = { method, params: own };
    if (typeof named === 'string' && KEY.test(named) && !this.#questions.has(named)) return { key: named, asked };
    return { key: `${method.split('/')[0]}_${this.#asked}`, asked };
  }
}

function isObject(value: unknown): value is Result {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
