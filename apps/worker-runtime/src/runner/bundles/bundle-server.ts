import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { getHeapStatistics } from 'node:v8';
import {
  Client,
  isJSONRPCNotification,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  type CallToolResult,
  type JSONRPCMessage,
  type ListToolsResult,
  type Progress,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { Bundle } from '#libs/protocol';

/** The server of an unpacked bundle, ready to be started. */
export interface BundleStart {
  /** Where the bundle is unpacked. */
  readonly folder: string;
  /** Path of its module below the folder. */
  readonly entryPoint: string;
  /** A folder of this process's own, made and removed with it. */
  readonly home: string;
  /** Without it the server is asked. */
  readonly era?: Bundle['era'];
  /** Hears that the process ended although nobody stopped it. */
  readonly onCrash: () => void;
}

/** One call, and who hears of it before it is answered. */
export interface BundleCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** How long to wait, anew after each progress, and how long in all. */
  readonly timeoutMs: number;
  readonly timeoutMaxMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

const MODERN = '2026-07-28';
const START_MS = 10_000;
const PROBE_MS = 5_000;
const ANSWER_MS = 2_000;
const MIB = 1024 * 1024;
const DETAIL_CHARACTERS_MAX = 4_000;

const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) endNow(pid);
});

/** A bundle's server as a child process, spoken to over stdio. Requests get ids of their own, whoever made them. */
export class BundleServer {
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
  static async start(start: BundleStart): Promise<BundleServer> {
    await mkdir(start.home, { recursive: true });
    const transport = transportOf(start);
    let printed = '';
    transport.stderr?.on('data', (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(-DETAIL_CHARACTERS_MAX);
      process.stderr.write(chunk);
    });
    const client = new Client({ name: 'wharf', version: '1' }, { versionNegotiation: negotiationOf(start.era) });
    try {
      await client.connect(transport, { timeout: START_MS });
    } catch (error) {
      if (transport.pid !== null) endNow(transport.pid);
      void client.close();
      await rm(start.home, { recursive: true, force: true });
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(printed.trim() === '' ? reason : `${reason}; it printed: ${printed.trim()}`, { cause: error });
    }
    answerAfterProgress(transport);
    const server = new BundleServer(client, start.home, transport.pid ?? 0);
    running.add(server.#pid);
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

  /** All its tools. */
  async listTools(): Promise<ListToolsResult['tools']> {
    return (await this.#client.listTools(undefined, { timeout: START_MS })).tools;
  }

  /** Calls a tool. @throws ProtocolError as it answered; SdkError when it ended or took too long */
  callTool(call: BundleCall): Promise<CallToolResult> {
    return this.#client.request(
      { method: 'tools/call', params: { name: call.name, arguments: { ...call.arguments } } },
      {
        signal: call.signal,
        timeout: call.timeoutMs,
        maxTotalTimeout: call.timeoutMaxMs,
        ...(call.onProgress === undefined ? {} : { onprogress: call.onProgress, resetTimeoutOnProgress: true }),
      },
    );
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

  /** Lets it end, and ends it when it does not. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#client.close();
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

/** The error a bundle's server answered with, if that is what an error is. */
export function answeredError(error: unknown): { readonly code: number; readonly message: string } | undefined {
  return error instanceof ProtocolError ? { code: error.code, message: error.message } : undefined;
}

/** Whether a server has given no answer in the time it had. */
export function isLate(error: unknown): boolean {
  return error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout;
}

function transportOf({ folder, entryPoint, home }: BundleStart): StdioClientTransport {
  const heapMb = Math.floor(getHeapStatistics().heap_size_limit / MIB / 2);
  // The sandbox is the wall; these keep the bundle's own files as they were packed.
  const permissions = [
    '--permission',
    '--disable-warning=SecurityWarning',
    '--allow-child-process',
    '--allow-worker',
    '--allow-addons',
    '--allow-wasi',
    `--allow-fs-read=${folder}`,
    `--allow-fs-read=${home}`,
    `--allow-fs-write=${home}`,
  ];
  return new StdioClientTransport({
    command: process.execPath,
    args: [...permissions, `--max-old-space-size=${heapMb}`, path.join(folder, entryPoint)],
    env: { TZ: 'UTC', HOME: home, TMPDIR: home },
    cwd: home,
    stderr: 'pipe',
  });
}

/**
 * The SDK's client hears notifications a moment later than answers, and would drop the progress that came together with
 * an answer; so answers wait for the notifications before them to be heard.
 */
function answerAfterProgress(transport: StdioClientTransport): void {
  const receive = transport.onmessage;
  const answers: JSONRPCMessage[] = [];
  let hearing = false;
  const flush = (): void => {
    hearing = false;
    for (const answer of answers.splice(0)) receive?.(answer);
  };
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's transport is no EventTarget
  transport.onmessage = (message) => {
    const notified = isJSONRPCNotification(message);
    if (notified && !hearing) setImmediate(flush);
    hearing ||= notified;
    if (hearing && !notified) answers.push(message);
    else receive?.(message);
  };
}

function negotiationOf(era: Bundle['era'] | undefined) {
  if (era === 'modern') return { mode: { pin: MODERN } };
  return era === 'legacy' ? { mode: 'legacy' as const } : { mode: 'auto' as const, probe: { timeoutMs: PROBE_MS } };
}

function endNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it had just ended
  }
}
