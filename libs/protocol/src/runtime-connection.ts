import type { Socket } from 'node:net';
import { AppError, toAppError } from '#libs/errors';
import { EXCHANGES_MAX, HELLO_MS, PENDING_BYTES_MAX, RECONNECT_MS, SILENT_MS, SWEEP_MS } from './connection-bounds.js';
import { connectionProof, isProof, newChallenge } from './connection-proof.js';
import { FrameWriter, trySend } from './frame-writer.js';
import { FrameDecoder, FrameError } from './frames.js';
import type { CallerFrame, Envelope, RuntimeFrame } from './messages.js';
import { NOT_LOOKED_UP } from './person-token.js';
import { byClockAhead } from './clock-ahead.js';
import { DOCUMENTS_SINCE, noSharedVersion, sharedVersion, SPOKEN, UNSAID } from './protocol-versions.js';
import { openRuntimeSocket, writeRuntimeAddress, type RuntimeAddress } from './runtime-address.js';
import type { RuntimeClientOptions } from './runtime-client-options.js';
import { RuntimeExchanges, type RuntimeExchange } from './runtime-exchanges.js';

type Hello = Extract<RuntimeFrame, { t: 'hello' }>;

/** One persistent connection to one runtime; comes back by itself until closed. */
export class RuntimeConnection {
  readonly #options: RuntimeClientOptions;
  readonly #exchanges = new RuntimeExchanges();
  readonly #sweeper: NodeJS.Timeout;
  #socket: Socket | undefined;
  #writer: FrameWriter<CallerFrame> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #retryMs = RECONNECT_MS.min;
  #heardMs = 0;
  #ready = false;
  #draining = false;
  /** Whether the runtime has proved that it has the key; before, it is supplied with nothing. */
  #trusted = false;
  #expectedProof = '';
  #closed = false;
  #version = UNSAID;
  /** How far the runtime's clock is ahead of ours. */
  #aheadMs = 0;
  #problem: string | undefined;
  readonly #waiting = new Set<() => void>();

  /** Its address, which every caller knows it by. */
  readonly name: string;

  constructor(
    private readonly address: RuntimeAddress,
    options: RuntimeClientOptions,
  ) {
    this.name = writeRuntimeAddress(address);
    this.#options = options;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS).unref();
    this.#open();
  }

  /** Whether the runtime has said hello, the connection stands, and it does not stop. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Calls and streams that are open there. */
  get open(): number {
    return this.#exchanges.size;
  }

  /** How many of them are one tenant's. */
  openOf(tenantId: string): number {
    return this.#exchanges.sizeOf(tenantId);
  }

  /** Whether the runtime says that it takes no new work. */
  get draining(): boolean {
    return this.#draining;
  }

  /** The version of the protocol that both sides speak now. */
  get version(): number {
    return this.#version;
  }

  /** Why the two sides do not understand each other, while they do not. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves with the first hello, or when closed. */
  untilReady(): Promise<void> {
    if (this.#ready || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** Sends a call; returns its cancel. Never throws. */
  call(exchange: RuntimeExchange, envelope: Envelope, payload: Buffer): () => void {
    return this.request(exchange, (s) => ({ t: 'call', s, envelope }), payload);
  }

  /** Sends a frame that starts an exchange; returns its cancel. Never throws. */
  request(exchange: RuntimeExchange, frame: (s: number) => CallerFrame, payload: Buffer): () => void {
    const writer = this.#writer;
    if (writer === undefined || this.#exchanges.size >= EXCHANGES_MAX || writer.pendingBytes > PENDING_BYTES_MAX) {
      queueMicrotask(() => exchange.onFail({ code: 'unavailable', retryAfterSeconds: 1 }, 'worker_failed', false));
      return () => undefined;
    }
    const s = this.#exchanges.add(exchange);
    if (!trySend(writer, byClockAhead(frame(s), this.#aheadMs), payload))
      queueMicrotask(() => this.#exchanges.fail(s, { code: 'unavailable' }, 'worker_failed', false));
    exchange.onOpen?.((change) => {
      const open = this.#exchanges.find(s) !== undefined && this.#version >= DOCUMENTS_SINCE;
      if (open) trySend(writer, { t: 'changed', s, change });
    });
    return () => {
      if (this.#exchanges.find(s) !== undefined) trySend(writer, { t: 'cancel', s });
    };
  }

  /** Closes for good; what is open fails. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#sweeper);
    clearTimeout(this.#retry);
    this.#socket?.destroy();
    this.#wake();
  }

  #open(): void {
    const socket = openRuntimeSocket(this.address, this.#options.intakeKey);
    const decoder = new FrameDecoder<RuntimeFrame>();
    this.#socket = socket;
    socket.setTimeout(HELLO_MS, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      this.#heardMs = performance.now();
      try {
        for (const { header, payload } of decoder.push(chunk)) this.#receive(socket, header, payload);
      } catch (error) {
        socket.destroy(error instanceof FrameError ? undefined : toAppError(error));
      }
    });
    socket.on('error', () => undefined); // 'close' follows and says everything there is to do
    socket.once('close', () => this.#lost(socket));
  }

  #receive(socket: Socket, frame: RuntimeFrame, payload: Buffer): void {
    if (frame.t === 'hello') this.#greeted(socket, frame);
    else if (frame.t === 'unspoken') this.#refused(socket, frame.message);
    else if (frame.t === 'proved') this.#trusted = isProof(this.#expectedProof, frame.proof);
    else if (frame.t === 'draining') [this.#draining, this.#ready] = [frame.draining, frame.stopping !== true];
    else if (frame.t === 'want') void this.#supply(frame);
    else if (frame.t === 'ask') void this.#answer(frame, payload);
    else if (frame.t === 'token') void this.#answerToken(frame);
    else if (frame.t === 'lists-changed') this.#options.onListsChanged?.(frame.tenantId, frame.servers);
    else this.#exchanges.receive(frame, payload);
  }

  #greeted(socket: Socket, hello: Hello): void {
    const theirs = hello.versions ?? { from: hello.version, to: hello.version };
    const version = sharedVersion(SPOKEN, theirs);
    if (version === undefined) return this.#refused(socket, noSharedVersion(this.name, SPOKEN, theirs));
    socket.setTimeout(0);
    this.#problem = undefined;
    this.#draining = false;
    this.#version = version;
    const aheadMs = (hello.atMs ?? Date.now()) - Date.now();
    // What a hello may have been on its way is no difference of clocks.
    this.#aheadMs = Math.abs(aheadMs) < HELLO_MS ? 0 : aheadMs;
    this.#writer = new FrameWriter(socket);
    this.#prove(this.#writer, hello);
    this.#retryMs = RECONNECT_MS.min;
    this.#ready = true;
    this.#wake();
  }

  /** The two sides share no version: the connection ends, and is tried again, for one of them may be replaced. */
  #refused(socket: Socket, problem: string): void {
    this.#problem = problem;
    socket.destroy();
  }

  /** Shows that we have the key, and asks the runtime to show that it has; says which version we have chosen of a range. */
  #prove(writer: FrameWriter<CallerFrame>, { challenge: theirs, versions }: Hello): void {
    const { intakeKey } = this.#options;
    const challenge = newChallenge();
    this.#expectedProof = connectionProof(intakeKey, 'runtime', theirs, challenge);
    const proof = connectionProof(intakeKey, 'caller', theirs, challenge);
    writer.send({ t: 'prove', challenge, proof, ...(versions === undefined ? {} : { version: this.#version }) });
  }

  async #supply({ s, digests, context }: Extract<RuntimeFrame, { t: 'want' }>): Promise<void> {
    const exchange = this.#exchanges.find(s);
    const writer = this.#writer;
    if (exchange === undefined || writer === undefined) return;
    this.#exchanges.isUnsupplied(s);
    try {
      if (!this.#trusted) throw new AppError('unavailable', { detail: { reason: 'the runtime has another key' } });
      const wanted = digests.filter((digest) => exchange.digests.has(digest));
      const supplied = await this.#options.supplier.supply(exchange.tenantId, wanted, context);
      const listed = [...supplied.manifests].map(([digest, bytes]) => ({ digest, bytes: bytes.length }));
      const payload = Buffer.concat([...supplied.manifests.values()]);
      const egress = supplied.context === undefined ? {} : { context: supplied.context };
      this.#exchanges.isSupplied(s);
      writer.send({ t: 'supply', s, manifests: listed, ...egress }, payload);
    } catch (error) {
      const { code, message } = toAppError(error);
      this.#exchanges.fail(s, { code, message }, 'refused', false);
      trySend(writer, { t: 'cancel', s });
    }
  }

  /** Answers a worker's question for the call that it works on; whose documents these are is the call's to say. */
  async #answer({ s, a, serverSlug, about }: Extract<RuntimeFrame, { t: 'ask' }>, question: Buffer): Promise<void> {
    const exchange = this.#exchanges.find(s);
    const writer = this.#writer;
    if (exchange === undefined || writer === undefined) return;
    try {
      if (!this.#trusted || exchange.onAsk === undefined) throw new AppError('unavailable');
      trySend(writer, { t: 'answer', s, a }, await exchange.onAsk(serverSlug, question, about));
    } catch (error) {
      const { code, message, problems } = toAppError(error);
      trySend(writer, { t: 'answer', s, a, failure: { code, message, problems } });
    }
  }

  /** Hands a token over to a runtime that has proved to be ours, for the exchange that it was asked for and no other. */
  async #answerToken({ s, a, ask }: Extract<RuntimeFrame, { t: 'token' }>): Promise<void> {
    const writer = this.#writer;
    if (writer === undefined || !this.#trusted || this.#exchanges.find(s) === undefined) return;
    const tokens = this.#exchanges.tokensOf(s);
    const answer = await tokens(ask).catch(() => NOT_LOOKED_UP);
    if (this.#exchanges.find(s) !== undefined) trySend(writer, { t: 'token', s, a, answer });
  }

  #lost(socket: Socket): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#writer = undefined;
    this.#ready = false;
    this.#trusted = false;
    this.#exchanges.failAll({ code: 'worker_failed' }, 'worker_failed');
    this.#options.onListsChanged?.('*', []);
    if (this.#closed) return;
    this.#retry = setTimeout(() => this.#open(), this.#retryMs * (0.5 + Math.random() / 2));
    this.#retryMs = Math.min(this.#retryMs * 2, RECONNECT_MS.max);
  }

  #sweep(): void {
    const overdue = this.#exchanges.failOverdue(Date.now());
    for (const s of overdue) if (this.#writer !== undefined) trySend(this.#writer, { t: 'cancel', s });
    if (overdue.length > 0 && performance.now() - this.#heardMs > SILENT_MS) this.#socket?.destroy();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
