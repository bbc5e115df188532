import type { Socket } from 'node:net';
import { toAppError, type AppError } from '#libs/errors';
import {
  FrameError,
  FrameWriter,
  NumberMap,
  OPERATORS_SINCE,
  egressContextFor,
  errorTypeOf,
  type CallerFrame,
  type CallFacts,
  type CallReply,
  type Envelope,
  type FrameFailure,
  type OutcomeClass,
  type RuntimeFrame,
} from '#libs/protocol';
import { answerQuestion } from './answer-question.js';
import { builtFrame } from './built-frame.js';
import { CallerProof, unspokenIn } from './caller-proof.js';
import { traced } from './call-span.js';
import { DocumentAsks } from './document-asks.js';
import { failureOf } from './failure-of.js';
import { hearFrames } from './hear-frames.js';
import type { IntakeRooms } from './intake-rooms.js';
import { EXCHANGES_MAX, PENDING_BYTES_MAX, type OpenExchange } from './open-exchange.js';
import { SupplyDesk } from './supply-desk.js';
import { TokenDesk } from './token-desk.js';

const SESSION_ENDED: FrameFailure = { code: 'session_not_found' };

/** One caller's connection: its frames are checked, its exchanges numbered by it, and all end with it. */
export class CallerConnection {
  readonly #socket: Socket;
  readonly #rooms: IntakeRooms;
  readonly #writer: FrameWriter<RuntimeFrame>;
  readonly #desk: SupplyDesk;
  readonly #asks: DocumentAsks;
  readonly #tokens: TokenDesk;
  readonly #exchanges = new NumberMap<OpenExchange>();
  readonly #proof: CallerProof;
  #draining = false;

  constructor(socket: Socket, rooms: IntakeRooms) {
    this.#socket = socket;
    this.#rooms = rooms;
    this.#proof = new CallerProof(rooms.intakeKey);
    this.#tokens = new TokenDesk(this.#proof, (frame) => this.#send(frame));
    this.#writer = new FrameWriter(socket);
    this.#desk = new SupplyDesk(rooms.supplies, (s, want) => this.#send({ t: 'want', s, ...want }));
    this.#asks = new DocumentAsks(this.#proof, (frame, question) => this.#send(frame, question));
    hearFrames(socket, rooms.logger, (frame, payload) => this.#receive(frame, payload));
    socket.once(
      'close',
      rooms.drain.onChange(() => this.#tellDraining()),
    );
    socket.on('error', () => undefined); // 'close' follows
    socket.once('close', () => this.#closed());
    this.#send(this.#proof.hello(rooms.runtimeId));
  }

  /** How many exchanges are open. */
  get size(): number {
    return this.#exchanges.size;
  }

  /** Takes no new exchange from here on; streams that only listen end, everything else may finish. */
  drain(): void {
    this.#draining = true;
    this.#tellDraining(true);
  }

  /** Ends it and all its exchanges. */
  close(): void {
    this.#socket.destroy();
  }

  #receive(frame: CallerFrame, payload: Buffer): void {
    if (frame.t === 'prove') this.#prove(frame);
    else if (this.#proof.proved) this.#accept(frame, payload);
    else this.#refuse(frame.s);
  }

  #accept(frame: Exclude<CallerFrame, { t: 'prove' }>, payload: Buffer): void {
    switch (frame.t) {
      case 'call':
        return this.#call(frame, payload);
      case 'cancel':
        return this.#exchanges.get(frame.s)?.cancel();
      case 'supply':
        return this.#desk.supplied(frame, payload);
      case 'answer':
        return this.#asks.answered(frame, payload);
      case 'changed':
        return this.#exchanges.get(frame.s)?.tell?.(frame.change);
      case 'token':
        return this.#tokens.answered(frame.s, frame.a, frame.answer);
      case 'build':
        return this.#build(frame, payload);
      default:
        return this.#send(answerQuestion(frame, this.#rooms));
    }
  }

  #prove(frame: Extract<CallerFrame, { t: 'prove' }>): void {
    const unspoken = unspokenIn(frame);
    const proof = unspoken === undefined ? this.#proof.judge(frame) : undefined;
    if (unspoken !== undefined) {
      this.#rooms.logger.warn(`caller refused: ${unspoken}`);
      this.#send({ t: 'unspoken', message: unspoken });
    } else if (proof !== undefined) {
      this.#send({ t: 'proved', proof });
      if (this.#rooms.drain.draining) this.#tellDraining();
      this.#socket.once(
        'close',
        this.#rooms.listNews.hear((told) => this.#send({ t: 'lists-changed', ...told })),
      );
    }
  }

  /** Streams that only listen go elsewhere when their client opens them again. */
  #tellDraining(draining = this.#rooms.drain.draining): void {
    const stopping = this.#draining ? { stopping: true as const } : {};
    if (this.#proof.proved && this.#proof.version >= OPERATORS_SINCE)
      this.#send({ t: 'draining', draining, ...stopping });
    if (!draining) return;
    for (const exchange of this.#exchanges.values()) if (exchange.listening === true) exchange.cancel();
  }

  #call({ s, envelope }: Extract<CallerFrame, { t: 'call' }>, payload: Buffer): void {
    if (envelope.deadlineMs <= Date.now()) return this.#fail(s, { code: 'deadline_exceeded' }, 'deadline', false);
    // A session ends with its runtime: its client is told at once, and begins another elsewhere.
    const ended = this.#draining && envelope.sessionId !== undefined ? SESSION_ENDED : undefined;
    if (!this.#open(s, ended ?? this.#rooms.refuses(envelope.route.tenantId))) return;
    this.#start(s, traced(envelope, this.#exchanges.get(s)), payload, this.#replyTo(s));
  }

  /** Starts a call, at once or when what it needs has come. */
  #start(s: number, envelope: Envelope, payload: Buffer, reply: CallReply): void {
    const exchange = this.#exchanges.get(s);
    if (exchange === undefined) return;
    if (envelope.operation === 'listen') exchange.listening = true;
    try {
      const [{ pool, supplies, drain }, { route }] = [this.#rooms, envelope];
      const worker = pool.findWorker(route);
      if (drain.movesAway(envelope, worker)) return reply.onFail(SESSION_ENDED, 'refused', false);
      const want = supplies.findMissing(envelope, worker === undefined ? 'context and manifests' : 'context');
      if (want !== undefined) {
        const resume = (): void => this.#start(s, envelope, payload, reply);
        exchange.cancel = () => reply.onDone(Buffer.alloc(0), 'cancelled', undefined);
        this.#desk.wait({ s, envelope, resume, fail: (error) => this.#failWith(reply, error) }, want);
        return;
      }
      const context = egressContextFor(supplies.getContext(route.tenantId), route.mounts);
      const bound =
        worker ?? pool.startWorker({ route, ...supplies.getReleases(route), memoryMb: context.workerMemoryMb });
      exchange.cancel = bound.deliver({ envelope, payload, context, reply, tokens: this.#tokens.tokensOf(s) });
    } catch (error) {
      this.#failWith(reply, toAppError(error));
    }
  }

  #build({ s, t: _, ...order }: Extract<CallerFrame, { t: 'build' }>, payload: Buffer): void {
    if (!this.#open(s)) return;
    const reply = this.#replyTo(s);
    try {
      const cancel = this.#rooms.builds.start(
        { ...order, payload, tokens: this.#tokens.tokensOf(s) },
        {
          onBuilt: (manifest, digest, report, archive) => {
            if (this.#exchanges.delete(s)) this.#send(...builtFrame(s, { manifest, digest, report, archive }));
          },
          onFail: (failure) =>
            reply.onFail(failure, failure.code === 'deadline_exceeded' ? 'deadline' : 'refused', true),
        },
      );
      Object.assign(this.#exchanges.get(s) ?? {}, { cancel });
    } catch (error) {
      this.#failWith(reply, toAppError(error));
    }
  }

  /** Opens an exchange, or says why not. @throws FrameError when its number is taken */
  #open(s: number, tooMany?: FrameFailure): boolean {
    if (!Number.isSafeInteger(s) || this.#exchanges.has(s)) throw new FrameError('exchange number in use');
    if (this.#draining || this.#exchanges.size >= EXCHANGES_MAX || tooMany !== undefined) {
      this.#fail(s, tooMany ?? { code: 'unavailable', retryAfterSeconds: 1 }, 'refused', false);
      return false;
    }
    this.#exchanges.set(s, { cancel: () => undefined });
    return true;
  }

  #replyTo(s: number): CallReply {
    return {
      onPart: (message) => {
        if (this.#exchanges.has(s)) this.#send({ t: 'part', s }, message);
      },
      onDone: (message, outcome, upstreamMs, facts) => {
        if (!this.#end(s, outcome)) return;
        const told = { ...(upstreamMs === undefined ? {} : { upstreamMs }), ...(facts === undefined ? {} : { facts }) };
        this.#send({ t: 'done', s, outcome, ...told }, message);
      },
      onFail: (failure, outcome, started, facts) => {
        if (this.#end(s, outcome)) this.#fail(s, failure, outcome, started, facts);
      },
      onAsk: (serverSlug, question, about) => this.#asks.ask(s, { serverSlug, about }, question),
      onOpen: (tell) => Object.assign(this.#exchanges.get(s) ?? {}, { tell }),
    };
  }

  #end(s: number, outcome: OutcomeClass): boolean {
    this.#desk.leave(s);
    this.#asks.end(s);
    this.#tokens.leave(s);
    this.#exchanges.get(s)?.span?.end(errorTypeOf(outcome));
    return this.#exchanges.delete(s);
  }

  #failWith(reply: CallReply, error: AppError): void {
    const { failure, outcome } = failureOf(error, this.#rooms.logger);
    reply.onFail(failure, outcome, false);
  }

  #refuse(s: number): void {
    this.#proof.refused();
    this.#rooms.logger.warn('frame refused: its sender has not proved to be one of ours');
    this.#fail(s, { code: 'forbidden' }, 'refused', false);
  }

  #fail(s: number, failure: FrameFailure, outcome: OutcomeClass, started: boolean, facts?: CallFacts): void {
    this.#send({ t: 'fail', s, failure, outcome, started, ...(facts === undefined ? {} : { facts }) });
  }

  #send(frame: RuntimeFrame, payload?: Uint8Array): void {
    if (this.#writer.pendingBytes > PENDING_BYTES_MAX) this.#socket.destroy();
    else this.#writer.send(frame, payload);
  }

  #closed(): void {
    for (const [s, { cancel, span }] of this.#exchanges.entries()) {
      this.#desk.leave(s);
      this.#tokens.leave(s);
      this.#asks.end(s);
      span?.end('caller_gone');
      cancel();
    }
    this.#exchanges.clear();
  }
}
