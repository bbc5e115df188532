import {
  ProtocolError,
  SdkError,
  SdkErrorCode,
  type Client,
  type ListToolsResult,
  type McpSubscription,
  type Notification,
  type Result,
  type ServerCapabilities,
  type Transport,
} from '@modelcontextprotocol/client';
import { z } from 'zod';
import type { CallerLink } from './caller-link.js';
import { openClient, type Negotiation } from './open-client.js';
import type { Peer, PeerRequest } from './peer.js';
import { ProgressPace } from './progress-pace.js';
import { unwrapped, wrapped } from './results.js';

/** How a server is reached, and for whom. */
export interface PeerStart {
  readonly transport: Transport;
  readonly link: CallerLink | undefined;
  readonly negotiation: Negotiation;
  readonly timeoutMs: number;
  /** Whether a server of the 2026 era is asked to tell of changes, which takes a stream of its own. */
  readonly listens: boolean;
  /** Hears which list may have changed, in place of the link. */
  readonly onListChanged?: (method: ListChanged) => void;
}

/** What a server says when one of its lists may have changed. */
export type ListChanged = keyof typeof LIST_CHANGES;

/** The 2026 era's protocol version. */
export const MODERN = '2026-07-28';
const LIST_MS = 10_000;
const PAGES_MAX = 20;
const WATCHED_MAX = 256;
const anyResult = z.looseObject({});
/** What a server says of its lists, and how one of the 2026 era is asked to say it. */
const LIST_CHANGES = {
  'notifications/tools/list_changed': ['tools', 'toolsListChanged'],
  'notifications/prompts/list_changed': ['prompts', 'promptsListChanged'],
  'notifications/resources/list_changed': ['resources', 'resourcesListChanged'],
} as const;
/** Those that are passed on as they come: the tools of a bundle are pinned, whatever it says. */
const PASSED_ON = ['prompts', 'resources'] as const;

/** A server of others behind the SDK's client, over any transport. Requests get ids and progress tokens of their own. */
export class ClientPeer implements Peer {
  readonly #client: Client;
  readonly #watched = new Set<string>();
  readonly #heard: readonly string[];
  #subscription: McpSubscription | undefined;
  #subscribing: Promise<void> = Promise.resolve();
  #closed = false;
  #onClose: (() => void) | undefined;

  private constructor(client: Client, heard: readonly string[]) {
    this.#client = client;
    this.#heard = heard;
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client is no EventTarget
    client.onclose = () => {
      this.#closed = true;
      this.#onClose?.();
    };
  }

  /** Connects and agrees on an era. @throws what the SDK's client says when that does not come about */
  static async open({
    transport,
    link,
    negotiation,
    timeoutMs,
    listens,
    onListChanged,
  }: PeerStart): Promise<ClientPeer> {
    const client = openClient(link, negotiation);
    const peer = new ClientPeer(client, onListChanged === undefined ? PASSED_ON : [...PASSED_ON, 'tools']);
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client is no EventTarget
    client.onerror = () => undefined; // what fails is told to whoever asked
    if (onListChanged !== undefined)
      for (const method of Object.keys(LIST_CHANGES) as ListChanged[])
        // its own names
        client.setNotificationHandler(method, () => onListChanged(method));
    try {
      await client.connect(transport, { timeout: timeoutMs });
    } catch (error) {
      void client.close();
      throw error;
    }
    passExtensionResults(transport);
    if (listens) await peer.#subscribe().catch(() => undefined); // it serves all the same
    return peer;
  }

  get era(): Peer['era'] {
    return this.#client.getNegotiatedProtocolVersion() === MODERN ? 'modern' : 'legacy';
  }

  get capabilities(): ServerCapabilities {
    return this.#client.getServerCapabilities() ?? {};
  }

  get instructions(): string | undefined {
    return this.#client.getInstructions();
  }

  /** Has `hear` called once when the connection is closed, also when it is by now. */
  onceClosed(hear: () => void): void {
    this.#onClose = hear;
    if (this.#closed) hear();
  }

  /** All its tools; none where it has none. */
  async listTools(): Promise<ListToolsResult['tools']> {
    if (this.capabilities.tools === undefined) return [];
    const tools: ListToolsResult['tools'] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const params = cursor === undefined ? {} : { cursor };
      const listed = await this.#client.request({ method: 'tools/list', params }, { timeout: LIST_MS });
      tools.push(...listed.tools);
      cursor = listed.nextCursor;
      if (cursor === undefined) return tools;
    }
    throw new Error(`its list of tools has more than ${PAGES_MAX} pages`);
  }

  /** Makes a request. @throws ProtocolError as it answered; SdkError when it ended or took too long */
  async request(request: PeerRequest): Promise<Result> {
    const { method, params, envelope, trace, needs, timeoutMs, timeoutMaxMs, signal, onProgress, headers } = request;
    if (this.era === 'modern' && WATCHING.has(method)) return this.#watch(method, String(params['uri']));
    const given =
      envelope === undefined && trace === undefined
        ? params
        : { ...params, _meta: { ...(params['_meta'] as object | undefined), ...trace, ...envelope } };
    const pace = onProgress && new ProgressPace(onProgress);
    try {
      const result = await this.#client.request({ method, params: { ...given } }, anyResult, {
        signal,
        timeout: timeoutMs,
        maxTotalTimeout: timeoutMaxMs,
        allowInputRequired: needs === 'caller',
        ...(headers === undefined ? {} : { headers }),
        ...(pace === undefined ? {} : { onprogress: (progress) => pace.take(progress), resetTimeoutOnProgress: true }),
      });
      return unwrapped(result);
    } finally {
      pace?.end();
    }
  }

  notify(notification: Notification): void {
    void this.#client.notification(notification).catch(() => undefined); // it has just ended
  }

  /** Whether it answers at all: a loop in it, for one, would keep it from that. */
  async answers(timeoutMs: number): Promise<boolean> {
    return this.#client.request({ method: 'tools/list' }, { timeout: timeoutMs }).then(
      () => true,
      (error: unknown) => answeredError(error) !== undefined,
    );
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** Subscriptions of the 2025 era, at a server of the 2026 era: one stream that is asked for anew when they change. */
  async #watch(method: string, uri: string): Promise<Result> {
    if (method === 'resources/unsubscribe') this.#watched.delete(uri);
    else if (this.#watched.size < WATCHED_MAX) this.#watched.add(uri);
    const before = this.#subscribing;
    this.#subscribing = before.catch(() => undefined).then(() => this.#subscribe()); // its asker has heard of the failure
    await this.#subscribing;
    return {};
  }

  async #subscribe(): Promise<void> {
    if (this.era !== 'modern') return;
    const told = Object.values(LIST_CHANGES).filter(
      ([list]) => this.#heard.includes(list) && this.capabilities[list]?.listChanged === true,
    );
    const filter = {
      ...Object.fromEntries(told.map(([, name]) => [name, true])),
      ...(this.#watched.size > 0 ? { resourceSubscriptions: [...this.#watched] } : {}),
    };
    const before = this.#subscription;
    this.#subscription =
      Object.keys(filter).length === 0 ? undefined : await this.#client.listen(filter, { timeout: LIST_MS });
    await before?.close();
  }
}

const WATCHING = new Set(['resources/subscribe', 'resources/unsubscribe']);

/** The error a server answered with, if that is what an error is. */
export function answeredError(error: unknown): ProtocolError | undefined {
  return error instanceof ProtocolError ? error : undefined;
}

/** Whether a server has given no answer in the time it had. */
export function isLate(error: unknown): boolean {
  return error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout;
}

/** Lets results of kinds that extensions define through the SDK's client, which refuses them. */
function passExtensionResults(transport: Transport): void {
  const receive = transport.onmessage?.bind(transport);
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's transport is no EventTarget
  transport.onmessage = (message, extra) => receive?.(wrapped(message), extra);
}
