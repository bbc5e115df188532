import {
  StreamableHTTPClientTransport,
  type Client,
  type Notification,
  type Result,
  type ServerCapabilities,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import { upstreamOwner, type RemoteUpstream } from '#libs/protocol';
import type { CallerLink } from '../peer/caller-link.js';
import { openClient } from '../peer/open-client.js';
import type { PeerRequest } from '../peer/peer.js';
import { MODERN } from '../peer/client-peer.js';
import type { EgressPort } from '../serve/egress-port.js';
import { EgressFailure } from '../serve/egress-stream.js';
import { pinsOf, type DefinitionKind, type Listed } from './definitions.js';
import { askingFor, upstreamFetch, type Asking } from './upstream-fetch.js';
import { statusOf } from './upstream-failure.js';

/** An upstream and who wants a session with it. */
export interface SessionStart {
  readonly upstream: Pick<RemoteUpstream, 'name' | 'url'> & { readonly era?: RemoteUpstream['era'] };
  readonly digest: string;
  readonly port: EgressPort;
  readonly link: CallerLink | undefined;
  readonly asking: Omit<Asking, 'kind'>;
  /** Whether there is somebody to hear what comes by its own stream. */
  readonly listens: boolean;
  /** Hears that one of its lists may have changed. */
  readonly onListChanged: (kind: DefinitionKind) => void;
}

/** A request to an upstream, for an exchange. */
export interface UpstreamRequest extends PeerRequest {
  readonly headers?: Readonly<Record<string, string>> | undefined;
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
const anyResult = z.looseObject({});
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
  readonly #client: Client;
  readonly #transport: StreamableHTTPClientTransport;

  private constructor(client: Client, transport: StreamableHTTPClientTransport) {
    this.#client = client;
    this.#transport = transport;
  }

  /** Connects and agrees on a protocol version; the era of the release is tried first. @throws Error */
  static async open(start: SessionStart): Promise<UpstreamSession> {
    if (start.upstream.era !== 'legacy') return UpstreamSession.#connect(start, { mode: 'auto' });
    try {
      return await UpstreamSession.#connect(start, { mode: 'legacy' });
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined || status < 400 || status > 499 || status === 401 || status === 403) throw error;
      return UpstreamSession.#connect(start, { mode: 'auto' }); // it may have left the older era behind
    }
  }

  static async #connect(start: SessionStart, negotiation: { mode: 'auto' | 'legacy' }): Promise<UpstreamSession> {
    const { upstream, digest, port, link, asking } = start;
    const fetch = upstreamFetch(port, { digest, tool: upstreamOwner(upstream.name) }, start.listens);
    const client = openClient(link, negotiation);
    for (const [method, kind] of Object.entries(CHANGES) as Array<[keyof typeof CHANGES, DefinitionKind]>)
      // its own entries
      client.setNotificationHandler(method, () => start.onListChanged(kind));
    const options = { fetch, reconnectionOptions: RECONNECTION };
    const transport = new StreamableHTTPClientTransport(new URL(upstream.url), options);
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client is no EventTarget
    client.onerror = () => undefined; // what fails is told to whoever asked
    let over = false;
    try {
      await askingFor({ ...asking, kind: 'connect', isOver: () => over }, () =>
        client.connect(transport, { timeout: CONNECT_MS }),
      );
    } catch (error) {
      void client.close().catch(() => undefined); // there is nothing to end
      throw error;
    } finally {
      over = true;
    }
    return new UpstreamSession(client, transport);
  }

  get era(): RemoteUpstream['era'] {
    return this.#client.getNegotiatedProtocolVersion() === MODERN ? 'modern' : 'legacy';
  }

  get instructions(): string | undefined {
    return this.#client.getInstructions();
  }

  /** What it says that it offers. */
  get capabilities(): ServerCapabilities {
    return this.#client.getServerCapabilities() ?? {};
  }

  /** Makes a request. @throws ProtocolError as it answered; EgressFailure, SdkError, SdkHttpError when it did not */
  async request(request: UpstreamRequest, asking: Omit<Asking, 'kind'>): Promise<Result> {
    const { method, params, timeoutMs, timeoutMaxMs, signal, onProgress, headers } = request;
    const broken = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const onStreamEnd = (final: boolean, failure = new EgressFailure('broken_off', '')): void => {
      if (final) timer ??= setTimeout(() => broken.abort(failure), GRACE_MS);
    };
    const asked = askingFor({ ...asking, kind: 'call', onStreamEnd }, () =>
      this.#client.request({ method, params: { ...params } }, anyResult, {
        signal: AbortSignal.any([signal, broken.signal]),
        timeout: timeoutMs,
        maxTotalTimeout: timeoutMaxMs,
        ...(headers === undefined ? {} : { headers }),
        ...(onProgress === undefined ? {} : { onprogress: onProgress, resetTimeoutOnProgress: true }),
      }),
    );
    try {
      return await asked;
    } catch (error) {
      throw broken.signal.aborted ? broken.signal.reason : error;
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
    void this.#client.notification(notification).catch(() => undefined); // it is not there
  }

  /** Ends it, and says so to an upstream that keeps sessions. */
  async stop(): Promise<void> {
    await this.#transport.terminateSession().catch(() => undefined); // it forgets it by itself
    await this.#client.close();
  }
}
