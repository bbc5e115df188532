import { AppError, toAppError } from '#libs/errors';
import { NumberMap, type DocumentChange, type ToRunnerFrame } from '#libs/protocol';
import type { Forward } from '../forwarding/forwarding.js';
import { modernClientOf } from '../peer/modern-client.js';
import { remoteCaller } from '../upstream-sessions/remote-caller.js';
import type { RunnerPipe, RuntimeFrameReceived } from '../pipe.js';
import { aimed } from '../search/aimed.js';
import { catalogueOf, readManifests } from '../mcp-servers/bound-parts.js';
import { partOf, sessionCaller } from '../mcp-servers/callers.js';
import type { Catalogue } from '../mcp-servers/catalogue.js';
import { DirectAnswers, plainRequest } from './direct-answers.js';
import { isFetched } from '../egress/egress-stream.js';
import { Exchange } from '../mcp-servers/exchange.js';
import { LegacySession } from './legacy-session.js';
import { openGuard } from '../guards/open-guard.js';
import { listenToServers, type OnChange } from './listening.js';
import type { ListTools, ToolCall } from '../mcp-servers/mcp-server.js';
import { opensSession, parsePayload, readInbound } from './message.js';
import { ModernRequest } from './modern-request.js';
import { RequestFault } from './request-fault.js';
import { RuntimeClock } from './runtime-clock.js';
import { ToolServers } from '../mcp-servers/tool-servers.js';

type MessageFrame = Extract<ToRunnerFrame, { t: 'message' }>;

/** Most sessions a worker holds; past that the one unused for longest ends. */
const SESSIONS_MAX = 1_000;
const ROOTS_CHANGED = 'notifications/roots/list_changed';

/** A bound runner: serves one tenant's route until its pipe closes. */
export class Worker {
  readonly #pipe: RunnerPipe;
  readonly #clock: RuntimeClock;
  readonly #catalogue: Catalogue;
  readonly #direct: DirectAnswers;
  readonly #servers: ToolServers;
  readonly #sessions = new Map<string, LegacySession>();
  /** How to cancel each open exchange, by its number. */
  readonly #cancels = new NumberMap<() => void>();
  readonly #exchanges = new NumberMap<Exchange>();
  /** Open streams that are told of changed documents. */
  readonly #hearers = new Map<number, (change: DocumentChange) => void>();

  private constructor(pipe: RunnerPipe, catalogue: Catalogue, clock: RuntimeClock) {
    this.#pipe = pipe;
    this.#clock = clock;
    this.#catalogue = catalogue;
    this.#direct = new DirectAnswers(catalogue);
    this.#servers = new ToolServers(pipe, catalogue, {
      onInvalid: (s) => this.#exchanges.get(s)?.noteFault('invalid_arguments'),
      onServerEnded: (s) => this.#exchanges.get(s)?.noteServerEnded(),
      onOwn: (s) => this.#exchanges.get(s)?.noteOwn(),
    });
  }

  /** Takes up a route and says so. @throws AppError internal when the payload is not what the frame says */
  static bind(pipe: RunnerPipe, frame: Extract<ToRunnerFrame, { t: 'bind' }>, payload: Buffer): Worker {
    const catalogue = catalogueOf(frame.mounts, readManifests(frame.manifests, payload), frame.view);
    const worker = new Worker(pipe, catalogue, new RuntimeClock(frame.atMs));
    pipe.send({ t: 'bound' });
    return worker;
  }

  /** Takes one frame; a failure ends its own exchange and no other. */
  receive({ header, payload }: RuntimeFrameReceived): void {
    if (header.t === 'message') void this.#serve(header, payload);
    else if (header.t === 'secrets') void this.#servers.openHost().then((host) => host.takeSecrets(header.values));
    else if (header.t === 'artefact') void this.#servers.openHost().then((host) => host.unpack(header.digest, payload));
    else if (header.t === 'ping') this.#pipe.send({ t: 'pong' });
    else if (header.t === 'cancel') this.#cancels.get(header.s)?.();
    else if (header.t === 'answer') this.#servers.door.settle(header, payload);
    else if (header.t === 'changed') this.#hearers.get(header.s)?.(header.change);
    else if (isFetched(header)) this.#servers.egress.settle(header, payload);
  }

  async #serve(frame: MessageFrame, payload: Buffer): Promise<void> {
    const deadlineMs = this.#clock.here(frame.deadlineMs);
    const progress = this.#clock.progressHere(frame.progress);
    const exchange = new Exchange(this.#pipe, frame.s, deadlineMs, () => this.#ended(frame.s), progress);
    if (frame.recordsContent === true) exchange.recordContent();
    exchange.inlineBytes = frame.inlineBytes;
    exchange.traceparent = frame.traceparent;
    this.#exchanges.set(frame.s, exchange);
    this.#cancels.set(frame.s, () => exchange.done(undefined, 'cancelled'));
    try {
      if (frame.guard !== undefined) exchange.guardWith(await openGuard(frame.guard));
      if (exchange.ended) return;
      if (frame.era === 'modern') this.#serveModern(exchange, frame, payload);
      else await this.#serveLegacy(exchange, frame, payload);
    } catch (error) {
      if (error instanceof RequestFault) {
        exchange.noteFault('invalid_arguments');
        exchange.done(error.answer(), 'protocol_error');
        return;
      }
      const failure = toAppError(error);
      exchange.fail(failure.code, failure.message, failure.code === 'internal' ? 'worker_failed' : 'protocol_error');
    }
  }

  #ended(s: number): void {
    this.#cancels.delete(s);
    this.#exchanges.delete(s);
    this.#hearers.delete(s);
  }

  #serveModern(exchange: Exchange, frame: MessageFrame, payload: Buffer): void {
    if (frame.operation !== 'message') throw new AppError('method_not_allowed');
    const { value, wasAimed } = aimed(this.#catalogue.view, parsePayload(payload));
    const parameterHeaders = wasAimed ? undefined : (frame.parameterHeaders ?? {});
    const name = `principal ${frame.principal ?? ''}`;
    const caller = { ...partOf(exchange), name, link: undefined };
    const runTool = (call: ToolCall) => this.#servers.runTool(call, { ...caller, client: call.client });
    const plain = plainRequest(value, 'modern');
    const stop = plain && this.#direct.answer(plain, exchange, { era: 'modern', parameterHeaders, runTool });
    if (stop !== undefined) {
      if (!exchange.ended) this.#cancels.set(frame.s, stop);
      return;
    }
    const inbound = readInbound(value);
    if (inbound.kind === 'accepted') {
      exchange.done(undefined, 'ok');
      return;
    }
    const request = new ModernRequest(exchange, (answer) => plain && this.#direct.learn(plain, answer));
    this.#cancels.set(frame.s, () => request.cancel());
    const forward: Forward = (...asked) =>
      this.#servers.forward({ ...caller, client: modernClientOf(asked[2]) }, ...asked);
    const listTools: ListTools = (context) => this.#servers.listTools(caller, context);
    request.start(inbound.message, { catalogue: this.#catalogue, parameterHeaders, runTool, forward, listTools });
    if (inbound.message.method !== 'subscriptions/listen') return;
    const onChange: OnChange = (hear) => this.#hearers.set(frame.s, hear);
    const { remote } = this.#servers;
    const servers = { catalogue: this.#catalogue, remote, openHost: () => this.#servers.openHost(), onChange };
    listenToServers(servers, caller, request, inbound.message);
  }

  async #serveLegacy(exchange: Exchange, frame: MessageFrame, payload: Buffer): Promise<void> {
    const { sessionId } = frame;
    if (sessionId === undefined) throw new AppError('session_required');
    if (frame.operation === 'close') {
      const ending = this.#getSession(sessionId);
      this.#sessions.delete(sessionId);
      await ending.close();
      this.#servers.end(sessionCaller(sessionId));
      exchange.done(undefined, 'ok');
      return;
    }
    const sent = frame.operation === 'message' ? parsePayload(payload) : undefined;
    const { value } = aimed(this.#catalogue.view, sent);
    const session = opensSession(value) ? await this.#openSession(sessionId) : this.#getSession(sessionId);
    this.#cancels.set(frame.s, () => session.cancel(exchange));
    if (value === undefined) this.#listenTo(session, exchange, sessionCaller(sessionId));
    else if (frame.batched === true) session.deliverBatched(exchange, value);
    else session.deliver(exchange, value);
  }

  /** Makes an exchange the session's stream, which also tells of changed documents. */
  #listenTo(session: LegacySession, exchange: Exchange, name: string): void {
    session.listen(exchange);
    this.#hearers.set(exchange.s, (change) =>
      this.#servers.knowledge
        .notificationsFor(name, change)
        .forEach((notification) => session.link.notify(notification)),
    );
  }

  #getSession(sessionId: string): LegacySession {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) throw new AppError('session_not_found');
    return session;
  }

  async #openSession(sessionId: string): Promise<LegacySession> {
    if (this.#sessions.has(sessionId))
      throw new AppError('invalid_request', {
        message: 'This session is already initialized. Send initialize without a session id to open another.',
      });
    this.#endUnused();
    const name = sessionCaller(sessionId);
    const opening: LegacySession = await LegacySession.open({
      catalogue: this.#catalogue,
      direct: this.#direct,
      runTool: (call, exchange) => this.#servers.runTool(call, { ...partOf(exchange), name, link: opening.link }),
      forward: (exchange, ...asked) =>
        this.#servers.forward({ ...partOf(exchange), name, link: opening.link }, ...asked),
      listTools: (exchange, context) =>
        this.#servers.remote.listTools(remoteCaller({ ...partOf(exchange), name, link: opening.link }), context),
      onRootsChanged: () => this.#servers.notify(name, { method: ROOTS_CHANGED }),
    });
    this.#sessions.set(sessionId, opening);
    return opening;
  }

  #endUnused(): void {
    if (this.#sessions.size < SESSIONS_MAX) return;
    const unused = [...this.#sessions]
      .filter(([, session]) => session.idle)
      .sort(([, left], [, right]) => left.usedAtMs - right.usedAtMs);
    const [oldest] = unused;
    if (oldest === undefined)
      throw new AppError('unavailable', { message: 'This server has too many busy sessions. Try again shortly.' });
    this.#sessions.delete(oldest[0]);
    void oldest[1].close();
    this.#servers.end(sessionCaller(oldest[0]));
  }
}
