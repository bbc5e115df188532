import type {
  CallToolResult,
  ListToolsResult,
  Notification,
  Result,
  ServerContext,
} from '@modelcontextprotocol/server';
import type { EgressPort } from '../egress/egress-port.js';
import type { Catalogue, UpstreamRun } from '../mcp-servers/catalogue.js';
import type { ToolCall } from '../mcp-servers/mcp-server.js';
import { mirroredHeaders } from '../tools/parameter-headers.js';
import { UNAVAILABLE_META, type MountedUpstream } from '../upstream-sessions/mounted-upstream.js';
import type { RemoteCaller } from '../upstream-sessions/remote-caller.js';
import type { RemoteHost } from './remote-host.js';
import type { RemoteListener, RemoteListeners } from './remote-listeners.js';
import type { PeerRequest } from '../peer/peer.js';
import { viewKey } from '../upstream-sessions/upstream-health.js';

type Own = Pick<PeerRequest, 'timeoutMs' | 'timeoutMaxMs' | 'trace'>;

/** A worker's door to its upstream servers; what they need is loaded when the first of them is used. */
export class RemoteServers {
  readonly #catalogue: Catalogue;
  readonly #port: EgressPort;
  #host: Promise<RemoteHost> | undefined;
  #listeners: Promise<RemoteListeners> | undefined;

  constructor(
    catalogue: Catalogue,
    port: EgressPort,
    private readonly onListsChanged: (digest: string) => void,
  ) {
    this.#catalogue = catalogue;
    this.#port = port;
  }

  /** The list as a caller has it: without the tools of upstreams that are not there, which `_meta` names. */
  async listTools(caller: RemoteCaller, { mcpReq }: ServerContext): Promise<ListToolsResult> {
    const host = await this.#open();
    const missing = await host.findUnavailable(caller, mcpReq.signal);
    const tools = this.#catalogue.list((mounted) => host.hides(mounted, caller.name));
    return missing.length === 0 ? { tools } : { tools, _meta: { [UNAVAILABLE_META]: missing } };
  }

  /** Makes a request of an upstream. @throws as RemoteHost.request */
  async forward(mounted: MountedUpstream, caller: RemoteCaller, request: PeerRequest): Promise<Result> {
    return (await this.#open()).request(mounted, caller, request);
  }

  /** Runs a tool of an upstream. @throws as RemoteHost.callTool */
  async runTool(call: ToolCall, run: UpstreamRun, caller: RemoteCaller, own: Own): Promise<CallToolResult> {
    const { signal, onProgress } = call;
    const params = { name: run.tool, arguments: call.arguments };
    const headers = mirroredHeaders(call.tool.parameterHeaders, call.arguments);
    const request = { method: 'tools/call', params, ...own, signal, onProgress, headers };
    return (await this.#open()).callTool(run.mounted, caller, request);
  }

  /** Has a client of the 2026 era hear of changes. @throws as RemoteListeners.add */
  async listen(listener: RemoteListener): Promise<void> {
    await (await this.#openListeners()).add(listener);
  }

  /** Ends what `listen` began. */
  async leave(listener: RemoteListener): Promise<void> {
    await (await this.#openListeners()).remove(listener);
  }

  /** Tells all upstreams of a caller. */
  notify(name: string, notification: Notification): void {
    void this.#host?.then((host) => host.notify(name, notification));
  }

  /** Ends the upstream sessions of a caller that will not come back. */
  end(name: string): void {
    void this.#host?.then((host) => host.end(name));
  }

  #openListeners(): Promise<RemoteListeners> {
    return (this.#listeners ??= Promise.all([this.#open(), import('./remote-listeners.js')]).then(
      ([host, { RemoteListeners }]) => new RemoteListeners(host, this.#catalogue.upstreams),
    ));
  }

  #open(): Promise<RemoteHost> {
    return (this.#host ??= import('./remote-host.js').then(
      ({ RemoteHost }) =>
        new RemoteHost(this.#port, this.#catalogue.upstreams, {
          lists: listsOf(this.#catalogue),
          onListsChanged: this.onListsChanged,
        }),
    ));
  }
}

/** Which upstreams have a tool in the list: of others, no caller hears that they changed. */
function listsOf(catalogue: Catalogue): (upstream: string) => boolean {
  const all = new Set<string>();
  for (const { name } of catalogue.listed) {
    const run = catalogue.findTool(name)?.run;
    if (run?.kind === 'upstream') all.add(viewKey(run.mounted));
  }
  return (upstream) => all.has(upstream);
}
