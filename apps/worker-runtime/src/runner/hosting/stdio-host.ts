import type { CallToolResult, Notification, Result } from '@modelcontextprotocol/client';
import type { PeerCaller } from '../peer/caller-link.js';
import { answeredError } from '../peer/client-peer.js';
import { forPeer, inEraOf, mayAsk } from '../bridge/eras.js';
import { HeldCalls, type ModernAsk } from '../bridge/held-calls.js';
import type { PeerRequest } from '../peer/peer.js';
import { heardBy, timed } from '../peer/list-changes.js';
import { forCaller, refuseUndeclared } from '../peer/results.js';
import { errorResult } from '../results/results.js';
import { endOrphans } from '../stdio/process-tree.js';
import { runningServers, type StdioServer } from '../stdio/stdio-server.js';
import { CrashDelay } from './crash-delay.js';
import { failureOf } from './failure-of.js';
import { hostSettings } from './host-settings.js';
import type { HostedServer, MountedBundle } from './hosted-server.js';
import { Listeners, type Subscribe } from '../listening/listeners.js';
import { eraFor, seatFor, type Placed } from './placing.js';
import { Seats, type Seat, type SeatOwner } from './seats.js';
import { logFailure, ServerStarts } from './server-starts.js';
import { StandingRequests } from '../listening/standing-requests.js';
import { StdioFailure } from './stdio-failure.js';

const SWEEP_MS = 1_000;
const STANDING_MS = 5_000;
const ANSWER_MS = 2_000;
/** As long as a worker is kept that nobody calls. */
const TASK_MS = 300_000;

/**
 * The third-party servers of a worker: a process for each caller (a session, or a principal where there are none),
 * stopped when idle, started again after a crash, later each time. What a server and its caller's era do not share is
 * bridged (`runner/bridge`).
 */
export class StdioHost {
  readonly #seats: Seats;
  readonly #starts = new ServerStarts();
  readonly #crashes = new CrashDelay();
  readonly #standing = new StandingRequests();
  readonly #held = new HeldCalls();
  readonly listeners = new Listeners<MountedBundle>((...asked) => this.#subscribe(...asked));
  /** Digests of releases whose server has asked a client something. */
  readonly #asking = new Set<string>();

  private constructor(
    serversMax: number,
    private readonly idleMs: number,
    private readonly onListsChanged: (digest: string) => void,
  ) {
    this.#seats = new Seats(serversMax);
    setInterval(() => this.#sweep(Date.now()), SWEEP_MS).unref();
  }

  /** A host as the runtime has started this worker for. `onListsChanged` hears which release's servers list something else. */
  static open(onListsChanged: (digest: string) => void): StdioHost {
    const { serversMax, idleMs } = hostSettings();
    return new StdioHost(serversMax, idleMs, onListsChanged);
  }

  /** Takes the values that servers are started with from now on. */
  takeSecrets(values: Readonly<Record<string, string>>): void {
    this.#starts.takeSecrets(values);
  }

  /** Takes an archive, once. */
  unpack(digest: string, archive: Buffer): void {
    this.#starts.unpack(digest, archive);
  }

  /** Calls a tool of a server for a caller; what goes wrong with the server is a result, and told where it had ended. @throws ProtocolError as its server answered */
  async callTool(
    hosted: HostedServer,
    caller: PeerCaller,
    call: PeerRequest,
    onEnded: () => void,
  ): Promise<CallToolResult> {
    try {
      return (await this.request(hosted, caller, call)) as CallToolResult; // the caller's SDK checks it
    } catch (error) {
      if (!(error instanceof StdioFailure)) throw error;
      if (error.why === 'ended') onEnded();
      return errorResult(error.message);
    }
  }

  /** Makes a request of a server for a caller. @throws ProtocolError as its server answered; StdioFailure */
  async request(hosted: HostedServer, caller: PeerCaller, request: PeerRequest): Promise<Result> {
    const placed: Placed = {
      hosted,
      caller,
      era: eraFor(hosted.bundle, caller),
      place: `${hosted.digest} ${caller.name}`,
    };
    const { client } = caller;
    try {
      if (client === undefined || !isHeld(placed, request.method))
        return await this.#run(await this.#seat(placed, request.method), placed, request);
      const asked: ModernAsk = { caller: { ...caller, client }, request };
      const resumed = this.#held.resume(asked);
      if (resumed !== undefined) return await resumed;
      const seat = await this.#seat(placed, request.method);
      const run = (limits: object): Promise<Result> => this.#run(seat, placed, { ...request, ...limits });
      return seat.desk === undefined ? await run({}) : await this.#held.begin(seat.desk, asked, run);
    } catch (error) {
      const failure = failureOf(error, hosted.bundle, caller, request.signal);
      return inEraOf(failure, caller, request);
    }
  }

  /** Tells all servers of a caller that run. */
  notify(caller: string, notification: Notification): void {
    for (const seat of this.#seats.of(caller))
      void seat.server.then(
        (server) => server.peer.notify(notification),
        () => undefined, // it never was up
      );
  }

  /** Stops the servers of a caller that will not come back. */
  end(caller: string): void {
    this.#seats.end(caller);
    this.#standing.end(caller);
  }

  /** A seat for a request, if need be instead of a call that has waited longest for its client. @throws StdioFailure */
  async #seat(placed: Placed, method: string): Promise<Seat> {
    const { hosted, place } = placed;
    const waitMs = this.#crashes.waitMs(place, Date.now());
    if (waitMs > 0) throw StdioFailure.stoppedAgain(hosted.bundle, waitMs);
    const owner = this.#owner(placed, method);
    for (;;) {
      const seat = this.#seats.find(owner.key) ?? this.#open(owner, placed);
      if (seat !== undefined) {
        if (isHeld(placed, method)) seat.desk?.claim();
        return seat;
      }
      if (!(await this.#held.dropOldest())) throw StdioFailure.busy(this.#seats.max);
    }
  }

  /** A server that asks its clients runs one call at a time, so that it is clear which of them it asks for. */
  #owner(placed: Placed, method: string): SeatOwner {
    const { hosted, caller } = placed;
    const alone = this.#asking.has(hosted.digest) && mayAsk(method);
    return seatFor(placed, (key) => alone && this.#seats.find(key)?.desk?.busy === true, {
      changed: (notification) => this.listeners.tell(caller.name, notification),
      asked: () => this.#asking.add(hosted.digest),
    });
  }

  #open(owner: SeatOwner, placed: Placed): Seat | undefined {
    const crash = (): void => {
      if (seat === undefined || !this.#seats.remove(owner.key, seat)) return;
      this.onListsChanged(placed.hosted.digest); // the next one begins anew
      endOrphans(runningServers());
      this.#crashes.crashed(owner.place, Date.now());
    };
    const link = owner.desk ?? placed.caller.link;
    const seat: Seat | undefined = this.#seats.add(owner, () => this.#start(placed, link, () => crash()));
    seat?.server.catch((error: unknown) => {
      logFailure('third-party server not started', error);
      crash();
    });
    return seat;
  }

  async #start({ hosted, era, place }: Placed, link: PeerCaller['link'], onCrash: () => void): Promise<StdioServer> {
    const heard = heardBy(link, () => this.onListsChanged(hosted.digest));
    const server = await this.#starts.start(hosted, { link: heard, era, onCrash });
    await this.#standing.repeat(place, (standing) => server.peer.request({ ...standing, ...standingTimes() }));
    return server;
  }

  async #run(seat: Seat, placed: Placed, request: PeerRequest): Promise<Result> {
    const { hosted, caller, place, era } = placed;
    const logs = hosted.bundle.offers?.logging !== undefined;
    this.#seats.enter(seat);
    const leave = caller.client && era === 'modern' ? seat.desk?.enter({ client: caller.client }) : undefined;
    try {
      const { peer } = await seat.server;
      if (era === 'modern' && request.method === 'logging/setLevel') {
        this.#standing.note(place, request);
        return {};
      }
      await this.#setLevel(seat, placed);
      const answered = await peer.request(forPeer({ ...placed, logs }, request, this.#standing.level(place)));
      const answer = forCaller(answered, caller.client === undefined ? 'legacy' : 'modern');
      if (caller.client !== undefined) refuseUndeclared(answer, caller.client.capabilities);
      if (answer['resultType'] === 'task' || request.method.startsWith('tasks/'))
        seat.keptUntilMs = Date.now() + TASK_MS;
      this.#standing.note(place, request);
      return caller.client === undefined ? answer : timed(request.method, answer, peer, 'heard');
    } catch (error) {
      if (answeredError(error) === undefined) void this.#replaceStuck(seat);
      const failure = failureOf(error, hosted.bundle, caller, request.signal);
      if (failure instanceof StdioFailure && !request.signal.aborted) logFailure('third-party server failed', error);
      throw failure;
    } finally {
      leave?.();
      this.#seats.leave(seat);
    }
  }

  /** A server of the 2025 era is told a level once; a request of the 2026 era names its own. */
  async #setLevel(seat: Seat, { hosted, caller, era }: Placed): Promise<void> {
    const level = caller.client?.logLevel;
    if (level === undefined || era === 'modern' || hosted.bundle.offers?.logging === undefined) return;
    if (seat.level === level) return;
    seat.level = level;
    const { peer } = await seat.server;
    const request = { method: 'logging/setLevel', params: { level }, ...standingTimes() };
    await peer.request(request).catch(() => undefined); // it logs as it likes
  }

  /** After a call that was given up: a server that answers nobody any more is ended, and the next call meets a new one. */
  async #replaceStuck(seat: Seat): Promise<void> {
    if (this.#seats.find(seat.key) !== seat) return;
    const server = await seat.server.catch(() => undefined); // its start's failure is told elsewhere
    if (server === undefined || (await server.peer.answers(ANSWER_MS)) || this.#seats.find(seat.key) !== seat) return;
    server.kill();
  }

  async #subscribe(...[method, hosted, caller, uri]: Parameters<Subscribe<MountedBundle>>): Promise<void> {
    const request = { method, params: { uri }, ...standingTimes() };
    if (method === 'resources/subscribe') {
      await this.request(hosted, caller, request).catch(() => undefined); // it has no such resource
      return;
    }
    const place = `${hosted.digest} ${caller.name}`;
    this.#standing.note(place, request);
    for (const seat of this.#seats.of(caller.name))
      if (seat.place === place) await seat.server.then((server) => server.peer.request(request)).catch(() => undefined); // it has ended
  }

  #sweep(nowMs: number): void {
    this.#crashes.forget(nowMs);
    this.#seats.stopUnused(nowMs, this.idleMs, (place) => this.#standing.subscribed(place));
    endOrphans(runningServers());
  }
}

/** Whether a call may be answered with questions first, while it goes on at its server. */
function isHeld({ caller, era }: Placed, method: string): boolean {
  return caller.client !== undefined && era === 'legacy' && mayAsk(method);
}

function standingTimes(): Pick<PeerRequest, 'timeoutMs' | 'timeoutMaxMs' | 'signal' | 'onProgress'> {
  const signal = AbortSignal.timeout(STANDING_MS);
  return { timeoutMs: STANDING_MS, timeoutMaxMs: STANDING_MS, signal, onProgress: undefined };
}
