import path from 'node:path';
import { ProtocolError, type CallToolResult, type Notification, type Result } from '@modelcontextprotocol/client';
import { sha256Digest } from '#libs/protocol';
import { unpackArchive } from '../bundles/archive.js';
import { errorResult } from '../tools/results.js';
import { failureOf } from './failure-of.js';
import type { HostedServer } from './hosted-server.js';
import { StdioFailure } from './stdio-failure.js';
import type { StdioCaller } from '../stdio/caller-link.js';
import { CrashDelay } from './crash-delay.js';
import { Outlet } from '../stdio/outlet.js';
import { endOrphans } from '../stdio/process-tree.js';
import { answeredError, runningServers, StdioServer, type StdioRequest } from '../stdio/stdio-server.js';
import { Seats, type Seat } from './seats.js';
import { StandingRequests } from './standing-requests.js';
import { withoutSender } from '../stdio/server-requests.js';
import { holdSecret, plainText, type StartPlaces } from '../stdio/start-texts.js';

/** Each is a process of some 50 MB; the runner's heap is a fixed share of the memory that they have together. */
const HEAP_MB_FOR_EACH = 48;
const IDLE_MS = 60_000;
const SWEEP_MS = 1_000;
const STANDING_MS = 5_000;

/**
 * The third-party servers of a worker: unpacked once, a process for each caller (a session, or a principal where there
 * are none), stopped when idle, started again after a crash, later each time.
 */
export class StdioHost {
  readonly #root = process.cwd();
  readonly #folders = new Map<string, Promise<string>>();
  readonly #seats: Seats;
  readonly #crashes = new CrashDelay();
  readonly #standing = new StandingRequests();
  readonly #outlet = new Outlet();
  #secrets: Readonly<Record<string, string>> = {};
  #last = 0;

  private constructor(serversMax: number) {
    this.#seats = new Seats(serversMax);
    setInterval(() => this.#sweep(Date.now()), SWEEP_MS).unref();
  }

  /** A host of as many processes as the worker's memory, and so its tenant's plan, has room for. */
  static open(): StdioHost {
    const heapMb = Number(/--max-old-space-size=(\d+)/.exec(process.execArgv.join(' '))?.[1] ?? 0);
    return new StdioHost(Math.max(1, Math.floor(heapMb / HEAP_MB_FOR_EACH)));
  }

  /** Takes the values that servers are started with from now on. */
  takeSecrets(values: Readonly<Record<string, string>>): void {
    this.#secrets = values;
  }

  /** Takes an archive, once. */
  unpack(digest: string, archive: Buffer): void {
    const folder = path.join(this.#root, `bundle-${++this.#last}`);
    const unpacked =
      sha256Digest(archive) === digest
        ? unpackArchive(archive, folder).then(() => folder)
        : Promise.reject(new Error('an archive does not match its digest'));
    unpacked.catch((error: unknown) => log('bundle not unpacked', error));
    this.#folders.set(digest, unpacked);
  }

  /** Calls a tool of a server for a caller; what goes wrong with the server is a result. @throws ProtocolError as its server answered */
  async callTool(hosted: HostedServer, caller: StdioCaller, call: StdioRequest): Promise<CallToolResult> {
    try {
      return (await this.request(hosted, caller, call)) as CallToolResult; // the caller's SDK checks it
    } catch (error) {
      if (error instanceof StdioFailure) return errorResult(error.message);
      throw error;
    }
  }

  /** Makes a request of a server for a caller. @throws ProtocolError as its server answered; StdioFailure */
  async request(hosted: HostedServer, caller: StdioCaller, request: StdioRequest): Promise<Result> {
    const key = `${hosted.digest} ${caller.name}`;
    const waitMs = this.#crashes.waitMs(key, Date.now());
    if (waitMs > 0) throw StdioFailure.stoppedAgain(hosted.bundle, waitMs);
    const seat = this.#seats.find(key) ?? this.#seat(hosted, caller, key);
    this.#seats.enter(seat);
    try {
      const answer = withoutSender(await (await seat.server).request(request));
      this.#standing.note(key, request);
      return answer;
    } catch (error) {
      if (answeredError(error) === undefined) void this.#replaceStuck(key, seat);
      const failure = failureOf(error, hosted.bundle, request.signal);
      if (!(failure instanceof ProtocolError) && !request.signal.aborted) log('third-party server failed', error);
      throw failure;
    } finally {
      this.#seats.leave(seat);
    }
  }

  /** Tells all servers of a caller that run. */
  notify(caller: string, notification: Notification): void {
    for (const seat of this.#seats.of(caller))
      void seat.server.then(
        (server) => server.notify(notification),
        () => undefined, // it never was up
      );
  }

  /** Stops the servers of a caller that will not come back. */
  end(caller: string): void {
    this.#seats.end(caller);
    this.#standing.end(caller);
  }

  #seat(hosted: HostedServer, caller: StdioCaller, key: string): Seat {
    const crash = (): void => {
      if (seat === undefined || !this.#seats.remove(key, seat)) return;
      endOrphans(runningServers());
      this.#crashes.crashed(key, Date.now());
    };
    const seat: Seat | undefined = this.#seats.add(key, caller.name, () =>
      this.#start(hosted, caller, key, () => crash()),
    );
    if (seat === undefined) throw StdioFailure.busy(this.#seats.max);
    seat.server.catch((error: unknown) => {
      log('third-party server not started', error);
      crash();
    });
    return seat;
  }

  async #start(hosted: HostedServer, caller: StdioCaller, key: string, onCrash: () => void): Promise<StdioServer> {
    const { digest, bundle, origins } = hosted;
    const folder = await this.#folders.get(bundle.artefact);
    if (folder === undefined) throw new Error('the archive of the bundle is missing');
    const home = path.join(this.#root, `home-${++this.#last}`);
    const places: StartPlaces = { bundle: folder, home, secrets: this.#secrets };
    const { entryPoint, era, args = [], env = {} } = bundle;
    const server = await StdioServer.start({
      folder,
      entryPoint,
      era,
      home,
      onCrash,
      link: caller.link,
      args: args.map((text) => plainText(text, places)),
      argsAreSecret: holdSecret(args),
      env: {
        ...Object.fromEntries(Object.entries(env).map(([name, text]) => [name, plainText(text, places)])),
        ...(await this.#outlet.environmentFor(digest, origins)),
      },
    });
    const limits = {
      timeoutMs: STANDING_MS,
      timeoutMaxMs: STANDING_MS,
      signal: AbortSignal.timeout(STANDING_MS),
      onProgress: undefined,
    };
    await this.#standing.repeat(key, (standing) => server.request({ ...standing, ...limits }));
    return server;
  }

  /** After a call that was given up: a server that answers nobody any more is ended, and the next call meets a new one. */
  async #replaceStuck(key: string, seat: Seat): Promise<void> {
    if (this.#seats.find(key) !== seat) return;
    const server = await seat.server.catch(() => undefined); // its start's failure is told elsewhere
    if (server === undefined || (await server.answers()) || this.#seats.find(key) !== seat) return;
    server.kill();
  }

  #sweep(nowMs: number): void {
    this.#crashes.forget(nowMs);
    this.#seats.stopUnused(nowMs - IDLE_MS, (key) => this.#standing.subscribed(key));
    endOrphans(runningServers());
  }
}

function log(message: string, error: unknown): void {
  process.stderr.write(`${JSON.stringify({ level: 'error', message, error: String(error).slice(0, 1_000) })}\n`);
}
