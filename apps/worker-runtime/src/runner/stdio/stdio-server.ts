import { mkdir, rm } from 'node:fs/promises';
import {
  Client,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  type ListToolsResult,
  type Notification,
  type Progress,
  type Result,
  type ServerCapabilities,
} from '@modelcontextprotocol/client';
import type { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { z } from 'zod';
import type { Bundle } from '#libs/protocol';
import { answerAfterNotifications } from './answer-order.js';
import type { CallerLink } from './caller-link.js';
import { descendantsOf, endAll, endTree } from './process-tree.js';
import { openToServer } from './server-requests.js';
import { MODERN, negotiationOf, transportOf, type StdioCommand } from './stdio-transport.js';

/** A third-party server on disk, ready to be started. */
export interface StdioStart extends StdioCommand {
  /** Without it the server is asked. */
  readonly era?: Bundle['era'];
  /** Whom its requests and notifications are for. */
  readonly link?: CallerLink | undefined;
  /** Hears that the process ended although nobody stopped it. */
  readonly onCrash: () => void;
}

/** A request to a server, and who hears of it before it is answered. */
export interface StdioRequest {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** How long to wait, anew after each progress, and how long in all. */
  readonly timeoutMs: number;
  readonly timeoutMaxMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

const START_MS = 10_000;
const ANSWER_MS = 2_000;
const DETAIL_CHARACTERS_MAX = 4_000;
const PAGES_MAX = 20;
const anyResult = z.looseObject({});

const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) endTree(pid);
});

/** Process ids of all servers that run. */
export function runningServers(): ReadonlySet<number> {
  return running;
}

/** A third-party server as a child process, spoken to over stdio. Requests get ids of their own, whoever made them. */
export class StdioServer {
  readonly #client: Client;
  readonly #home: string;
  readonly #pid: number;
  #stopped = false;

  private constructor(client: Client, home: string, pid: number) {
    this.#client = client;
    this.#home = home;
    this.#pid = pid;
  }

  /** Starts it and agrees on a protocol version. @throws Error with what it printed last when it does not come up */
  static async start(start: StdioStart): Promise<StdioServer> {
    await mkdir(start.home, { recursive: true });
    const transport = transportOf(start);
    let printed = '';
    transport.stderr?.on('data', (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(-DETAIL_CHARACTERS_MAX);
      process.stderr.write(chunk);
    });
    const client = openToServer(start.link, negotiationOf(start.era));
    try {
      noteStart(transport);
      await client.connect(transport, { timeout: START_MS });
    } catch (error) {
      if (transport.pid !== null) endNow(transport.pid);
      void client.close();
      await rm(start.home, { recursive: true, force: true });
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(printed.trim() === '' ? reason : `${reason}; it printed: ${printed.trim()}`, { cause: error });
    }
    answerAfterNotifications(transport);
    const server = new StdioServer(client, start.home, transport.pid ?? 0);
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client is no EventTarget
    client.onclose = () => server.#ended(start.onCrash);
    return server;
  }

  get era(): Bundle['era'] {
    return this.#client.getNegotiatedProtocolVersion() === MODERN ? 'modern' : 'legacy';
  }

  get instructions(): string | undefined {
    return this.#client.getInstructions();
  }

  /** What it says that it offers. */
  get capabilities(): ServerCapabilities {
    return this.#client.getServerCapabilities() ?? {};
  }

  /** All its tools; none where it has none. */
  async listTools(): Promise<ListToolsResult['tools']> {
    if (this.capabilities.tools === undefined) return [];
    const tools: ListToolsResult['tools'] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const params = cursor === undefined ? {} : { cursor };
      const listed = await this.#client.request({ method: 'tools/list', params }, { timeout: START_MS });
      tools.push(...listed.tools);
      cursor = listed.nextCursor;
      if (cursor === undefined) return tools;
    }
    throw new Error(`its list of tools has more than ${PAGES_MAX} pages`);
  }

  /** Makes a request. @throws ProtocolError as it answered; SdkError when it ended or took too long */
  request({ method, params, timeoutMs, timeoutMaxMs, signal, onProgress }: StdioRequest): Promise<Result> {
    return this.#client.request({ method, params: { ...params } }, anyResult, {
      signal,
      timeout: timeoutMs,
      maxTotalTimeout: timeoutMaxMs,
      ...(onProgress === undefined ? {} : { onprogress: onProgress, resetTimeoutOnProgress: true }),
    });
  }

  /** Tells it something. */
  notify(notification: Notification): void {
    void this.#client.notification(notification).catch(() => undefined); // it has just ended
  }

  /** Whether it answers at all: a loop in it, for one, would keep it from that. */
  async answers(): Promise<boolean> {
    return this.#client.request({ method: 'tools/list' }, { timeout: ANSWER_MS }).then(
      () => true,
      (error: unknown) => answeredError(error) !== undefined,
    );
  }

  /** Ends it now, as if it had crashed. */
  kill(): void {
    endNow(this.#pid);
  }

  /** Lets it end, and ends it when it does not, with everything that it has started. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const left = descendantsOf(this.#pid);
    await this.#client.close();
    endAll(left);
    this.#forget();
  }

  #ended(onCrash: () => void): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#forget();
    onCrash();
  }

  #forget(): void {
    running.delete(this.#pid);
    void rm(this.#home, { recursive: true, force: true });
  }
}

/** The error a server answered with, if that is what an error is. */
export function answeredError(error: unknown): ProtocolError | undefined {
  return error instanceof ProtocolError ? error : undefined;
}

/** Whether a server has given no answer in the time it had. */
export function isLate(error: unknown): boolean {
  return error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout;
}

/** Has the process noted as soon as there is one, so that it ends with the runner also while it comes up. */
function noteStart(transport: StdioClientTransport): void {
  const start = transport.start.bind(transport);
  transport.start = async () => {
    await start();
    if (transport.pid !== null) running.add(transport.pid);
  };
}

function endNow(pid: number): void {
  running.delete(pid);
  endTree(pid);
}
