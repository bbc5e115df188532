import { mkdir, rm } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import type { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { CallerLink } from '../peer/caller-link.js';
import { ClientPeer } from '../peer/client-peer.js';
import type { Peer } from '../peer/peer.js';
import { answerAfterNotifications } from './answer-order.js';
import { PrintedLines } from './printed-lines.js';
import { descendantsOf, endAll, endTree } from './process-tree.js';
import { negotiationOf, transportOf, type StdioCommand } from './stdio-transport.js';

/** A third-party server on disk, ready to be started. */
export interface StdioStart extends StdioCommand {
  /** Without it the server is asked. */
  readonly era?: Peer['era'];
  /** Whom its requests and notifications are for. */
  readonly link?: CallerLink | undefined;
  /** Hears that the process ended although nobody stopped it. */
  readonly onCrash: () => void;
  /** How long it may take to come up. */
  readonly timeoutMs?: number;
}

const START_MS = 10_000;

const running = new Set<number>();
process.on('exit', () => {
  for (const pid of running) endTree(pid);
});

/** Process ids of all servers that run. */
export function runningServers(): ReadonlySet<number> {
  return running;
}

/** A third-party server as a child process, spoken to over stdio. */
export class StdioServer {
  readonly #home: string;
  readonly #pid: number;
  #stopped = false;

  private constructor(
    /** What it is to its callers. */
    readonly peer: ClientPeer,
    home: string,
    pid: number,
  ) {
    this.#home = home;
    this.#pid = pid;
  }

  /** Starts it and agrees on a protocol version. @throws Error with what it printed last when it does not come up */
  static async start(start: StdioStart): Promise<StdioServer> {
    await mkdir(start.home, { recursive: true });
    const transport = transportOf(start);
    const printed = new PrintedLines((text) => process.stderr.write(text));
    const decoder = new StringDecoder();
    transport.stderr?.on('data', (chunk: Buffer) => printed.take(decoder.write(chunk), Date.now()));
    transport.stderr?.once('end', () => printed.end(Date.now()));
    const { link, era, home, onCrash, timeoutMs = START_MS } = start;
    try {
      noteStart(transport);
      const negotiation = negotiationOf(era);
      const peer = await ClientPeer.open({ transport, link, negotiation, timeoutMs, listens: link !== undefined });
      answerAfterNotifications(transport);
      const server = new StdioServer(peer, home, transport.pid ?? 0);
      peer.onceClosed(() => server.#ended(onCrash));
      return server;
    } catch (error) {
      if (transport.pid !== null) endNow(transport.pid);
      await rm(home, { recursive: true, force: true });
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(printed.last === '' ? reason : `${reason}; it printed: ${printed.last}`, { cause: error });
    }
  }

  /** Ends it now, as if it had crashed. */
  kill(): void {
    endNow(this.#pid);
  }

  /** Lets it end, and ends it when it does not, with everything that it has started. */
  async stop(): Promise<void> {
    this.#stopped = true;
    const left = descendantsOf(this.#pid);
    await this.peer.close();
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
