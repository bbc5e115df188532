import { ProtocolError, type CallToolResult } from '@modelcontextprotocol/server';
import { AppError, ERROR_CATALOGUE, toAppError } from '#libs/errors';
import type { ToRunnerFrame } from '#libs/protocol';
import type { Forward } from '../hosting/forwarding.js';
import type { StdioHost } from '../hosting/stdio-host.js';
import { remoteCaller } from '../upstream-sessions/remote-caller.js';
import { RemoteServers } from '../remote/remote-servers.js';
import { Logins } from '../logins/logins.js';
import type { RunnerPipe, RuntimeFrameReceived } from '../pipe.js';
import { aimed } from '../search/aimed.js';
import { SearchTools } from '../search/search-tools.js';
import { refuseState, runHttpTool } from './http-run.js';
import { partOf, sessionCaller, timesOf, type Caller } from './callers.js';
import { catalogueOf, readManifests } from './bound-parts.js';
import type { Catalogue } from './catalogue.js';
import { DirectAnswers, plainRequest } from './direct-answers.js';
import { EgressPort } from './egress-port.js';
import { isFetched } from './egress-stream.js';
import { Exchange } from './exchange.js';
import { LegacySession } from './legacy-session.js';
import { modernClientOf } from '../peer/modern-client.js';
import { progressOf, type ListTools, type ToolCall } from './mcp-server.js';
import { opensSession, parsePayload, readInbound } from './message.js';
import { listenToServers } from './listening.js';
import { ModernRequest } from './modern-request.js';
import { noteContent } from './recorded-content.js';
import { RequestFault } from './request-fault.js';

type MessageFrame = Extract<ToRunnerFrame, { t: 'message' }>;

/** Most sessions a worker holds; past that the one unused for longest ends. */
const SESSIONS_MAX = 1_000;
const ROOTS_CHANGED = 'notifications/roots/list_changed';

/** A bound runner: serves one tenant's route until its pipe closes. */
export class Worker {
  readonly #pipe: RunnerPipe;
  readonly #catalogue: Catalogue;
  readonly #direct: DirectAnswers;
  readonly #egress: EgressPort;
  readonly #remote: RemoteServers;
  readonly #logins = new Logins();
  #host: Promise<StdioHost> | undefined;
  readonly #search: SearchTools;
  readonly #sessions = new Map<string, LegacySession>();
  /** How to cancel each open exchange, by its number. */
  readonly #cancels = new Map<number, () => void>();
  readonly #exchanges = new Map<number, Exchange>();

  private constructor(pipe: RunnerPipe, catalogue: Catalogue) {
    this.#pipe = pipe;
    this.#catalogue = catalogue;
    this.#direct = new DirectAnswers(catalogue);
    this.#egress = new EgressPort(pipe);
    this.#remote = new RemoteServers(catalogue, this.#egress);
    this.#search = new SearchTools(catalogue);
  }

  /** Takes up a route and says so. @throws AppError internal when the payload is not what the frame says */
  static bind(pipe: RunnerPipe, frame: Extract<ToRunnerFrame, { t: 'bind' }>, payload: Buffer): Worker {
    const worker = new Worker(pipe, catalogueOf(frame.mounts, readManifests(frame.manifests, payload), frame.view));
    pipe.send({ t: 'bound' });
    return worker;
  }

  /** Takes one frame; a failure ends its own exchange and no other. */
  receive({ header, payload }: RuntimeFrameReceived): void {
    if (header.t === 'message') void this.#serve(header, payload);
    else if (header.t === 'secrets') void this.#openHost().then((host) => host.takeSecrets(header.values));
    else if (header.t === 'artefact') void this.#openHost().then((host) => host.unpack(header.digest, payload));
    else if (header.t === 'ping') this.#pipe.send({ t: 'pong' });
    else if (header.t === 'cancel') this.#cancels.get(header.s)?.();
    else if (isFetched(header)) this.#egress.settle(header, payload);
  }

  async #serve(frame: MessageFrame, payload: Buffer): Promise<void> {
    const exchange = new Exchange(this.#pipe, frame.s, frame.deadlineMs, () => this.#ended(frame.s), frame.progress);
    if (frame.recordsContent === true) exchange.recordContent();
    this.#exchanges.set(frame.s, exchange);
    this.#cancels.set(frame.s, () => exchange.done(undefined, 'cancelled'));
    try {
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
  }

  #serveModern(exchange: Exchange, frame: MessageFrame, payload: Buffer): void {
    if (frame.operation !== 'message') throw new AppError('method_not_allowed');
    const { value, wasAimed } = aimed(this.#catalogue.view, parsePayload(payload));
    const parameterHeaders = wasAimed ? undefined : (frame.parameterHeaders ?? {});
    const name = `principal ${frame.principal ?? ''}`;
    const caller = { ...partOf(exchange), name, link: undefined };
    const runTool = (call: ToolCall) => this.#runTool(call, { ...caller, client: call.client });
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
    const forward: Forward = (...asked) => this.#forward({ ...caller, client: modernClientOf(asked[2]) }, ...asked);
    const listTools: ListTools = (context) => this.#remote.listTools(remoteCaller(caller), context);
    request.start(inbound.message, { catalogue: this.#catalogue, parameterHeaders, runTool, forward, listTools });
    const servers = { catalogue: this.#catalogue, remote: this.#remote, openHost: () => this.#openHost() };
    if (inbound.message.method === 'subscriptions/listen') listenToServers(servers, caller, request, inbound.message);
  }

  async #serveLegacy(exchange: Exchange, frame: MessageFrame, payload: Buffer): Promise<void> {
    const { sessionId } = frame;
    if (sessionId === undefined) throw new AppError('session_required');
    if (frame.operation === 'close') {
      const ending = this.#getSession(sessionId);
      this.#sessions.delete(sessionId);
      await ending.close();
      this.#endServers(sessionId);
      exchange.done(undefined, 'ok');
      return;
    }
    const sent = frame.operation === 'message' ? parsePayload(payload) : undefined;
    const { value } = aimed(this.#catalogue.view, sent);
    const session = opensSession(value) ? await this.#openSession(sessionId) : this.#getSession(sessionId);
    this.#cancels.set(frame.s, () => session.cancel(exchange));
    if (value === undefined) session.listen(exchange);
    else session.deliver(exchange, value);
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
      runTool: (call, exchange) => this.#runTool(call, { ...partOf(exchange), name, link: opening.link }),
      forward: (exchange, ...asked) => this.#forward({ ...partOf(exchange), name, link: opening.link }, ...asked),
      listTools: (exchange, context) =>
        this.#remote.listTools(remoteCaller({ ...partOf(exchange), name, link: opening.link }), context),
      onRootsChanged: () => {
        void this.#host?.then((host) => host.notify(name, { method: ROOTS_CHANGED }));
        this.#remote.notify(name, { method: ROOTS_CHANGED });
      },
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
    this.#endServers(oldest[0]);
  }

  #openHost(): Promise<StdioHost> {
    return (this.#host ??= import('../hosting/stdio-host.js').then(({ StdioHost }) => StdioHost.open()));
  }

  #endServers(sessionId: string): void {
    void this.#host?.then((host) => host.end(sessionCaller(sessionId)));
    this.#remote.end(sessionCaller(sessionId));
  }

  async #forward(caller: Caller, ...[server, { method, params }, context]: Parameters<Forward>) {
    const { signal } = context.mcpReq;
    const request = { method, params, ...timesOf(caller), signal, onProgress: progressOf(context) };
    if (server.kind === 'upstream') {
      return this.#logins.forward({ caller, request: { method, params } }, (whose) =>
        this.#remote.forward(server, remoteCaller(whose), request),
      );
    }
    const host = await this.#openHost();
    return host.request(server, caller, request);
  }

  async #runTool(call: ToolCall, caller: Caller): Promise<CallToolResult> {
    const running = this.#run(call, caller);
    return caller.note === undefined ? running : noteContent(running, call, caller.note);
  }

  async #run(call: ToolCall, caller: Caller): Promise<CallToolResult> {
    const { run, definition } = call.tool;
    const onInvalid = (): void => this.#exchanges.get(caller.s)?.noteFault('invalid_arguments');
    if (run.kind === 'hosted') {
      const host = await this.#openHost();
      const params = { name: definition.name, arguments: call.arguments };
      const { signal, onProgress } = call;
      const waiting = { ...timesOf(caller), signal, onProgress };
      return host.callTool(run.hosted, caller, { method: 'tools/call', params, ...waiting }).catch((error: unknown) => {
        if (error instanceof ProtocolError && error.code === ERROR_CATALOGUE.invalid_params.jsonRpc) onInvalid();
        throw error;
      });
    }
    if (run.kind === 'search') return this.#search.run(run, call.arguments);
    const request = { method: 'tools/call', params: { name: call.tool.name, arguments: call.arguments } };
    return this.#logins.around({ caller, request }, (whose) =>
      this.#runOwn(call, whose, onInvalid),
    ) as Promise<CallToolResult>; // or a question, which the SDK passes on
  }

  /** Runs a tool that is a request of ours, to an upstream server or to an API. */
  async #runOwn(call: ToolCall, caller: Caller, onInvalid: () => void): Promise<CallToolResult> {
    const { run } = call.tool;
    if (run.kind === 'upstream') return this.#remote.runTool(call, run, remoteCaller(caller), timesOf(caller));
    refuseState(caller);
    const { s, deadlineMs } = caller;
    return runHttpTool(call, { egress: this.#egress, s, deadlineMs, onInvalid });
  }
}
