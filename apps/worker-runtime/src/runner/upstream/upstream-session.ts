import {
  SSEClientTransport,
  SseError,
  StreamableHTTPClientTransport,
  type Notification,
  type Result,
  type ServerCapabilities,
} from '@modelcontextprotocol/client';
import { upstreamOwner, type RemoteUpstream } from '#libs/protocol';
import type { CallerLink } from '../peer/caller-link.js';
import { ClientPeer } from '../peer/client-peer.js';
import type { Peer, PeerRequest } from '../peer/peer.js';
import type { EgressPort, StreamOwner } from '../egress/egress-port.js';
import { EgressFailure } from '../egress/egress-stream.js';
import { pinsOf, type DefinitionKind, type Listed } from './definitions.js';
import { OwnStream } from './own-stream.js';
import { connectTransport, type Attempt, type Likely } from './connect-transport.js';
import { askingFor, upstreamFetch, type Asking, type FetchOptions } from './upstream-fetch.js';
import { noAnswerIn, watchAnswers, watchOneStream } from './watched-answers.js';

/** An upstream and who wants a session with it. */
export interface SessionStart {
  readonly upstream: Pick<RemoteUpstream, 'name' | 'url'> & Likely;
  readonly digest: string;
  readonly port: Pick<EgressPort, 'open' | 'drifted'>;
  readonly link: CallerLink | undefined;
  readonly asking: Omit<Asking, 'kind'>;
  /** Whether there is somebody to hear what comes by its own stream. */
  readonly listens: boolean;
  /** A name of its own for the session, where people have logins of their own at the upstream. */
  readonly session?: string;
  /** Hears that one of its lists may have changed. */
  readonly onListChanged: (kind: DefinitionKind) => void;
}

const CONNECT_MS = 10_000;
const LIST_MS = 10_000;
const PAGES_MAX = 20;
/** The SDK hands an answer on a little after its stream has ended. */
const GRACE_MS = 100;
const RECONNECTION = {
  initialReconnectionDelay: 1_000,
  maxReconnectionDelay: 30_000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 10,
};
const LISTS = {
  tools: 'tools/list',
  prompts: 'prompts/list',
  resources: 'resources/list',
  resourceTemplates: 'resources/templates/list',
} as const satisfies Record<DefinitionKind, string>;
const CHANGES = {
  'notifications/tools/list_changed': 'tools',
  'notifications/prompts/list_changed': 'prompts',
  'notifications/resources/list_changed': 'resources',
} as const;

/** One caller's session with one upstream server, of either era. Requests get ids of their own, whoever made them. */
export class UpstreamSession {
  readonly #peer: ClientPeer;
  readonly #transport: StreamableHTTPClientTransport | SSEClientTransport;
  #closed = false;

  private constructor(
    peer: ClientPeer,
    transport: StreamableHTTPClientTransport | SSEClientTransport,
    /** There where its stream is listened to with a person's own login. */
    private readonly own: OwnStream | undefined,
  ) {
    this.#peer = peer;
    this.#transport = transport;
    peer.onceClosed(() => {
      this.#closed = true;
    });
  }

  /** Connects and agrees on a protocol version; the era of the release is tried first. @throws Error */
  static open(start: SessionStart): Promise<UpstreamSession> {
    return connectTransport(start.upstream, (attempt) => UpstreamSession.#connect(start, attempt));
  }

  static async #connect(start: SessionStart, attempt: Attempt): Promise<UpstreamSession> {
    const { link, asking, listens } = start;
    const own = listens && start.session !== undefined ? new OwnStream() : undefined;
    const transport = attempt === 'sse' ? oldTransport(start) : transportOf(start, own?.heard);
    let over = false;
    try {
      const peer = await askingFor({ ...asking, kind: 'connect', isOver: () => over }, () =>
        ClientPeer.open({
          transport,
          link,
          negotiation: { mode: attempt === 'auto' ? 'auto' : 'legacy' },
          timeoutMs: CONNECT_MS,
          listens,
          onListChanged: (method) => start.onListChanged(CHANGES[method]),
        }),
      );
      return new UpstreamSession(peer, transport, own);
    } catch (error) {
      throw noAnswerIn(error) ?? error;
    } finally {
      over = true;
    }
  }

  get era(): Peer['era'] {
    return this.#peer.era;
  }

  get transport(): 'http' | 'sse' {
    return this.#transport instanceof SSEClientTransport ? 'sse' : 'http';
  }

  /** Whether its connection is gone for good, as that of a stream that carried everything. */
  get closed(): boolean {
    return this.#closed;
  }

  get instructions(): string | undefined {
    return this.#peer.instructions;
  }

  /** What it says that it offers. */
  get capabilities(): ServerCapabilities {
    return this.#peer.capabilities;
  }

  /** Makes a request. @throws ProtocolError as it answered; EgressFailure, SdkError, SdkHttpError when it did not */
  async request(request: PeerRequest, asking: Omit<Asking, 'kind'>): Promise<Result> {
    if (this.#transport instanceof StreamableHTTPClientTransport && this.era === 'legacy')
      this.own?.openAgain(this.#transport);
    const broken = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const onStreamEnd = (final: boolean, failure = new EgressFailure('broken_off', '')): void => {
      if (final) timer ??= setTimeout(() => broken.abort(failure), GRACE_MS);
    };
    const signal = AbortSignal.any([request.signal, broken.signal]);
    try {
      const { s, lastMs, lasts } = asking;
      const whose = { s, lastMs, ...(lasts === undefined ? {} : { lasts }), kind: 'call', onStreamEnd } as const;
      return await askingFor(whose, () => this.#peer.request({ ...request, signal }));
    } catch (error) {
      throw broken.signal.aborted ? broken.signal.reason : (noAnswerIn(error) ?? error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** All definitions of a kind that it lists now; none where it offers none. @throws as `request` */
  async list(kind: DefinitionKind, asking: Omit<Asking, 'kind'>): Promise<Listed[]> {
    const capability = kind === 'resourceTemplates' ? 'resources' : kind;
    if (this.capabilities[capability] === undefined) return [];
    const all: Listed[] = [];
    let cursor: unknown;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const signal = AbortSignal.timeout(LIST_MS);
      const times = { timeoutMs: LIST_MS, timeoutMaxMs: LIST_MS, signal, onProgress: undefined };
      const params = cursor === undefined ? {} : { cursor };
      const listed = await this.request({ method: LISTS[kind], params, ...times }, asking);
      if (Array.isArray(listed[kind])) all.push(...(listed[kind] as Listed[])); // what they are is for the reader to check
      cursor = listed['nextCursor'];
      if (typeof cursor !== 'string') return all;
    }
    throw new Error(`its list of ${kind} has more than ${PAGES_MAX} pages`);
  }

  /** The hashes of all definitions of a kind. @throws as `request` */
  async pins(kind: DefinitionKind, asking: Omit<Asking, 'kind'>): Promise<Record<string, string>> {
    return pinsOf(kind, await this.list(kind, asking));
  }

  /** Tells it something. */
  notify(notification: Notification): void {
    this.#peer.notify(notification);
  }

  /** Ends it, and says so to an upstream that keeps sessions. */
  async stop(): Promise<void> {
    if (this.#transport instanceof StreamableHTTPClientTransport)
      await this.#transport.terminateSession().catch(() => undefined); // it forgets it by itself
    await this.#peer.close();
  }
}

function transportOf(start: SessionStart, onStream: FetchOptions['onStream']): StreamableHTTPClientTransport {
  const { upstream, port, listens } = start;
  const fetch = upstreamFetch(port, ownerOf(start), { listens, ...(onStream === undefined ? {} : { onStream }) });
  const options = { fetch, reconnectionOptions: RECONNECTION };
  const transport = new StreamableHTTPClientTransport(new URL(upstream.url), options);
  watchAnswers(transport);
  return transport;
}

/** Whose requests a session makes. */
function ownerOf({ upstream, digest, session }: SessionStart): Omit<StreamOwner, 's'> {
  return { digest, tool: upstreamOwner(upstream.name), ...(session === undefined ? {} : { session }) };
}

/** HTTP+SSE (MCP 2024-11-05, transports): one stream is the session, and a new one would be another session. */
function oldTransport(start: SessionStart): SSEClientTransport {
  const { upstream, port } = start;
  const fetch = upstreamFetch(port, ownerOf(start), { listens: true });
  const transport = new SSEClientTransport(new URL(upstream.url), { fetch });
  watchOneStream(transport);
  endWithStream(transport);
  return transport;
}

/** The SDK would open the stream again by itself; its session is gone, so the transport is closed instead. */
function endWithStream(transport: SSEClientTransport): void {
  const start = transport.start.bind(transport);
  transport.start = async () => {
    await start();
    const heard = transport.onerror?.bind(transport);
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's transport is no EventTarget
    transport.onerror = (error) => {
      heard?.(error);
      if (error instanceof SseError) void transport.close();
    };
  };
}
