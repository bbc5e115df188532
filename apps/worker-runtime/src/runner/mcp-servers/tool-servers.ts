import {
  ProtocolError,
  type CallToolResult,
  type ListToolsResult,
  type Notification,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { ERROR_CATALOGUE } from '#libs/errors';
import type { Forward } from '../forwarding/forwarding.js';
import type { MountedBundle } from '../hosting/hosted-server.js';
import type { StdioHost } from '../hosting/stdio-host.js';
import { CallStates } from '../logins/call-states.js';
import { Logins } from '../logins/logins.js';
import { KnowledgeDoor } from '../knowledge/knowledge-door.js';
import { KnowledgeServers } from '../knowledge/knowledge-servers.js';
import { LIST_TTL_MS } from '../peer/list-changes.js';
import { traceOf } from '../peer/trace.js';
import type { RunnerPipe } from '../pipe.js';
import { UNAVAILABLE_META, type MountedUpstream } from '../upstream-sessions/mounted-upstream.js';
import { remoteCaller } from '../upstream-sessions/remote-caller.js';
import { RemoteServers } from '../remote/remote-servers.js';
import { KeptResults } from '../results/kept-results.js';
import { SearchTools } from '../search/search-tools.js';
import { ToolSlots } from '../tools/tool-slots.js';
import { timesOf, type Caller } from './callers.js';
import type { Catalogue } from './catalogue.js';
import { EgressPort } from '../egress/egress-port.js';
import { refuseState, runHttpTool } from './http-run.js';
import { ListNews } from './list-news.js';
import { progressOf, type ToolCall } from './mcp-server.js';
import { noteContent } from './recorded-content.js';

/** Hears of exchanges whose arguments are not what a tool asks for, and of those whose third-party server had ended. */
export interface HearsOfCalls {
  onInvalid(s: number): void;
  onServerEnded(s: number): void;
  /** Hears of exchanges whose answer nobody else may be given. */
  onOwn(s: number): void;
}

/** What runs a route's tools and has its resources: egress, third-party processes, upstreams, the tenant's documents. */
export class ToolServers {
  readonly egress: EgressPort;
  readonly remote: RemoteServers;
  readonly knowledge: KnowledgeServers;
  /** Where questions to the caller go out, and answers come in. */
  readonly door: KnowledgeDoor;
  readonly #results: KeptResults;
  readonly #logins: Logins;
  readonly #search: SearchTools;
  readonly #hears: HearsOfCalls;
  /** Calls under way of tools whose owner bounds them. */
  readonly #slots = new ToolSlots();
  readonly #news: ListNews;
  #host: Promise<StdioHost> | undefined;

  constructor(pipe: RunnerPipe, catalogue: Catalogue, hears: HearsOfCalls) {
    this.egress = new EgressPort(pipe);
    this.#news = new ListNews(pipe);
    this.remote = new RemoteServers(catalogue, this.egress, (digest) => this.#news.changed(digest));
    this.door = new KnowledgeDoor(pipe);
    this.knowledge = new KnowledgeServers(this.door);
    this.#results = new KeptResults(this.door);
    this.#logins = new Logins(new CallStates(this.door));
    this.#search = new SearchTools(catalogue);
    this.#hears = hears;
  }

  /** What hosts third-party servers; loaded when the first is wanted. */
  openHost(): Promise<StdioHost> {
    return (this.#host ??= import('../hosting/stdio-host.js').then(({ StdioHost }) =>
      StdioHost.open((digest) => this.#news.changed(digest)),
    ));
  }

  /** Ends what was started for a caller. */
  end(caller: string): void {
    void this.#host?.then((host) => host.end(caller));
    this.remote.end(caller);
    this.knowledge.end(caller);
  }

  /** Passes a client's notification on to what was started for it. */
  notify(caller: string, notification: Notification): void {
    void this.#host?.then((host) => host.notify(caller, notification));
    this.remote.notify(caller, notification);
  }

  /** Makes a request that is for no tool of the server that has what it is about. */
  async forward(caller: Caller, ...[server, { method, params }, context]: Parameters<Forward>) {
    const { signal } = context.mcpReq;
    if (server.kind === 'results')
      return this.#results.answer(server, { method, uri: String(params['uri']) }, { s: caller.s, signal });
    if (server.kind === 'knowledge') return this.knowledge.answer(server, { method, params, caller, signal });
    const own = { ...timesOf(caller), ...traceOf(caller.traceparent, context.mcpReq._meta) };
    const request = { method, params, ...own, signal, onProgress: progressOf(context) };
    if (isOwn(server)) this.#hears.onOwn(caller.s);
    if (server.kind === 'upstream') {
      const asker = { s: caller.s, serverSlug: server.serverSlug, signal };
      return this.#logins.forward({ asker, caller, request: { method, params } }, (whose) =>
        this.remote.forward(server, remoteCaller(whose), request),
      );
    }
    const host = await this.openHost();
    return host.request(server, caller, request);
  }

  /** The list of a client of the 2026 era, where upstream servers have a part in it. */
  async listTools(caller: Caller, context: ServerContext): Promise<ListToolsResult> {
    const listed = await this.remote.listTools(remoteCaller(caller), context);
    // With nothing missing it is as the release has pinned it; who asks again soon after sees what is back.
    if (UNAVAILABLE_META in (listed._meta ?? {})) this.#hears.onOwn(caller.s);
    else return { ...listed, ttlMs: LIST_TTL_MS, cacheScope: 'private' };
    return listed;
  }

  /** Runs a tool, and notes what it was asked and answered where that is recorded. */
  async runTool(call: ToolCall, caller: Caller): Promise<CallToolResult> {
    const running = this.#inSlot(call, caller);
    return caller.note === undefined ? running : noteContent(running, call, caller.note);
  }

  /** Runs a tool where fewer of its calls are under way than its owner allows. */
  #inSlot(call: ToolCall, caller: Caller): Promise<CallToolResult> {
    const { digest, definition } = call.tool;
    const max = definition.limits?.concurrentMax;
    if (max === undefined) return this.#run(call, caller);
    return this.#slots.within(`${digest} ${definition.name}`, max, () => this.#run(call, caller));
  }

  async #run(call: ToolCall, caller: Caller): Promise<CallToolResult> {
    const { run, definition } = call.tool;
    const onInvalid = (): void => this.#hears.onInvalid(caller.s);
    const { signal, onProgress } = call;
    if (run.kind === 'hosted') {
      const host = await this.openHost();
      const params = { name: definition.name, arguments: call.arguments };
      const waiting = {
        ...timesOf(caller, definition.limits),
        ...traceOf(caller.traceparent, call.meta),
        signal,
        onProgress,
      };
      const onEnded = (): void => this.#hears.onServerEnded(caller.s);
      const request = { method: 'tools/call', params, ...waiting };
      return host.callTool(run.hosted, caller, request, onEnded).catch((error: unknown) => {
        if (error instanceof ProtocolError && error.code === ERROR_CATALOGUE.invalid_params.jsonRpc) onInvalid();
        throw error;
      });
    }
    if (run.kind === 'search') return this.#search.run(run, call.arguments);
    if (run.kind === 'knowledge')
      return this.knowledge.runTool(run, await call.tool.checks(), call.arguments, { s: caller.s, signal, onInvalid });
    const request = { method: 'tools/call', params: { name: call.tool.name, arguments: call.arguments } };
    const { serverSlug } = run.kind === 'upstream' ? run.mounted : run;
    return this.#logins.around({ asker: { s: caller.s, serverSlug, signal }, caller, request }, (whose) =>
      this.#runOwn(call, whose, onInvalid),
    ) as Promise<CallToolResult>; // or a question, which the SDK passes on
  }

  /** Runs a tool that is a request of ours, to an upstream server or to an API. */
  async #runOwn(call: ToolCall, caller: Caller, onInvalid: () => void): Promise<CallToolResult> {
    const { run } = call.tool;
    if (run.kind === 'upstream') {
      const own = { ...timesOf(caller, call.tool.definition.limits), ...traceOf(caller.traceparent, call.meta) };
      return this.remote.runTool(call, run, remoteCaller(caller), own);
    }
    refuseState(caller);
    const { s, deadlineMs, inlineBytes, guard } = caller;
    const results = this.#results;
    return runHttpTool(call, { egress: this.egress, results, s, deadlineMs, inlineBytes, guard, onInvalid });
  }
}

/**
 * Whether what a server lists may be of one caller alone: it sees whose login it is shown, or it is of the 2025 era, where
 * whatever was said in a session may change its lists.
 */
function isOwn(server: MountedBundle | MountedUpstream): boolean {
  if (server.kind === 'bundle') return server.bundle.era === 'legacy';
  return server.upstream.era === 'legacy' || server.upstream.connection !== undefined;
}
