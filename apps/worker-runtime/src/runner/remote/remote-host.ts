import { ProtocolError, type CallToolResult, type Notification, type Result } from '@modelcontextprotocol/client';
import { StandingRequests } from '../hosting/standing-requests.js';
import type { EgressPort } from '../serve/egress-port.js';
import { forCaller } from '../peer/results.js';
import { errorResult } from '../tools/results.js';
import { approvedPrompts, definitionRefusal } from './approval.js';
import type { DefinitionKind } from './definitions.js';
import type { MountedUpstream, UnavailableUpstream } from './mounted-upstream.js';
import { PinnedSession, type Drifted } from './pinned-session.js';
import type { RemoteCaller } from './remote-caller.js';
import { RemoteFailure } from './remote-failure.js';
import * as failures from './upstream-failure.js';
import { NOBODY } from './upstream-fetch.js';
import { UpstreamHealth, viewKey } from './upstream-health.js';
import { UpstreamSeats, type UpstreamSeat } from './upstream-seats.js';
import type { UpstreamRequest } from './upstream-session.js';

const SESSIONS_MAX = 1_000;
const IDLE_MS = 10 * 60_000;
const SWEEP_MS = 5_000;
const STANDING_MS = 5_000;
const GIVEN_UP_MAX = 3;
/** How old the last look at an upstream's definitions may be before a call; a list looks anew. */
const CALL_AGE_MS = 60_000;
/** How long a look at a changed list may take, and how long a list waits for an upstream. */
const CHANGED_MS = 10_000;
const LIST_WAIT_MS = 5_000;

/**
 * The upstream servers of a worker. A session with one is opened for each caller (a session, or a principal where there
 * are none) and upstream and release, and shared with nobody. One that its upstream has forgotten is opened once more,
 * and the request that found out, which was not run, is made again.
 */
export class RemoteHost {
  readonly #port: EgressPort;
  readonly #upstreams: readonly MountedUpstream[];
  readonly #seats = new UpstreamSeats(SESSIONS_MAX);
  readonly #standing = new StandingRequests();
  readonly #health: UpstreamHealth;

  constructor(
    port: EgressPort,
    upstreams: readonly MountedUpstream[],
    lists: (upstream: string, tool?: string) => boolean,
  ) {
    this.#port = port;
    this.#upstreams = upstreams;
    this.#health = new UpstreamHealth(lists);
    setInterval(() => this.#sweep(Date.now()), SWEEP_MS).unref();
  }

  /** Calls a tool of an upstream; what goes wrong with the upstream is a result. @throws ProtocolError as it answered, or when its definition is not the approved one */
  async callTool(mounted: MountedUpstream, caller: RemoteCaller, call: UpstreamRequest): Promise<CallToolResult> {
    try {
      return (await this.request(mounted, caller, call)) as CallToolResult; // the caller's SDK checks it
    } catch (error) {
      if (error instanceof RemoteFailure) return errorResult(error.message);
      throw error;
    }
  }

  /** Makes a request of an upstream for a caller. @throws ProtocolError as it answered; RemoteFailure */
  async request(mounted: MountedUpstream, caller: RemoteCaller, request: UpstreamRequest): Promise<Result> {
    try {
      return await this.#withSession(mounted, caller, request.signal, async (session) => {
        const drifted = await session.check(caller, CALL_AGE_MS);
        this.#health.note(mounted, caller, { kind: 'up', drifted });
        definitionRefusal(mounted, drifted, request);
        const answer = forCaller(
          await session.request(request, caller),
          caller.client === undefined ? 'legacy' : 'modern',
        );
        this.#standing.note(keyOf(mounted, caller), request);
        return request.method === 'prompts/list' ? approvedPrompts(mounted, answer) : answer;
      });
    } catch (error) {
      throw this.#failureOf(mounted, caller, error);
    }
  }

  /** Looks after all upstreams for a list: those whose tools are not there now, and why. */
  async findUnavailable(caller: RemoteCaller, signal: AbortSignal): Promise<UnavailableUpstream[]> {
    const looked = await Promise.all(this.#upstreams.map((mounted) => this.#look(mounted, caller, signal)));
    this.#health.tell(caller.name);
    return looked.flatMap((reason, index) => {
      const mounted = this.#upstreams[index];
      if (reason === undefined || mounted === undefined) return [];
      return [{ server: mounted.serverSlug, upstream: mounted.upstream.name, reason }];
    });
  }

  /** Whether a caller's list leaves out a tool of an upstream. */
  hides(mounted: MountedUpstream, caller: string, tool: string): boolean {
    return this.#health.hides(mounted, caller, tool);
  }

  /** Tells all upstreams of a caller. */
  notify(name: string, notification: Notification): void {
    for (const seat of this.#seats.of(name)) void seat.session.then((session) => session.notify(notification), ignore);
  }

  /** Ends the sessions of a caller that will not come back. */
  end(name: string): void {
    this.#seats.end(name);
    this.#standing.end(name);
    this.#health.end(name);
  }

  /** Uses the caller's session; one that its upstream has forgotten is opened once more, for what it has not run. */
  async #withSession<Answer>(
    mounted: MountedUpstream,
    caller: RemoteCaller,
    signal: AbortSignal,
    work: (session: PinnedSession) => Promise<Answer>,
  ): Promise<Answer> {
    for (let lost = 0; ; lost += 1) {
      const seat = await this.#take(mounted, caller, signal);
      try {
        return await this.#seats.use(seat, work);
      } catch (error) {
        const session = await seat.session;
        session.doubt();
        if (lost > 0 || !session.keepsSessions || !failures.isSessionLost(error)) throw error;
        this.#seats.forget(keyOf(mounted, caller), seat);
      }
    }
  }

  /** A seat whose session is open; where whoever was opening it has left, it is opened for this caller. @throws RemoteFailure */
  async #take(mounted: MountedUpstream, caller: RemoteCaller, signal: AbortSignal): Promise<UpstreamSeat> {
    for (let givenUp = 0; ; givenUp += 1) {
      const seat = this.#seats.find(keyOf(mounted, caller)) ?? this.#seat(mounted, caller);
      try {
        await seat.session;
        return seat;
      } catch (error) {
        const again = failures.isGivenUp(error) && !signal.aborted && givenUp < GIVEN_UP_MAX;
        if (!again) throw failures.remoteFailure(mounted.upstream.name, error, 'connect');
      }
    }
  }

  #seat(mounted: MountedUpstream, caller: RemoteCaller): UpstreamSeat {
    this.#health.refuseWhileDown(mounted, caller);
    const key = keyOf(mounted, caller);
    const seat = this.#seats.add(key, caller.name, () => this.#open(mounted, caller));
    if (seat === undefined)
      throw new RemoteFailure('Too many upstream sessions are in use. Try again shortly.', 'too many sessions');
    seat.session.catch((error: unknown) => {
      this.#seats.forget(key, seat);
      if (failures.isDown(error)) this.#health.failed(mounted, caller, failures.reasonOf(error));
    });
    return seat;
  }

  async #open(mounted: MountedUpstream, caller: RemoteCaller): Promise<PinnedSession> {
    const { upstream, digest } = mounted;
    const { link } = caller;
    const onListChanged = (kind: DefinitionKind): void => void this.#listChanged(mounted, caller, kind);
    const whose = { asking: caller, link, listens: link !== undefined, onListChanged };
    const session = await PinnedSession.open({ upstream, digest, port: this.#port, ...whose }, upstream.pins);
    const signal = AbortSignal.timeout(STANDING_MS);
    const times = { timeoutMs: STANDING_MS, timeoutMaxMs: STANDING_MS, signal, onProgress: undefined };
    await this.#standing.repeat(keyOf(mounted, caller), (standing) =>
      session.request({ ...standing, ...times }, caller),
    );
    return session;
  }

  #failureOf(mounted: MountedUpstream, caller: RemoteCaller, error: unknown): ProtocolError | RemoteFailure {
    if (error instanceof RemoteFailure) return error;
    const answered = failures.answeredIn(error);
    if (answered !== undefined) return failures.relayedError(answered);
    if (failures.isUnreachable(error))
      this.#health.note(mounted, caller, { kind: 'down', reason: failures.reasonOf(error) });
    return failures.remoteFailure(mounted.upstream.name, error, 'request');
  }

  /** Why an upstream is not there; undefined when it is. */
  async #look(mounted: MountedUpstream, caller: RemoteCaller, signal: AbortSignal): Promise<string | undefined> {
    const askedAtMs = Date.now();
    const looking = this.#withSession(mounted, caller, signal, (session) =>
      session.check(caller, Date.now() - askedAtMs),
    );
    try {
      const drifted: Drifted = await within(LIST_WAIT_MS, looking);
      this.#health.note(mounted, caller, { kind: 'up', drifted });
      return undefined;
    } catch (error) {
      const reason = error instanceof RemoteFailure ? error.reason : failures.reasonOf(error);
      this.#health.note(mounted, caller, { kind: 'down', reason });
      return reason;
    }
  }

  /** An upstream says that a list has changed: its caller hears of it when what it is shown has. */
  async #listChanged(mounted: MountedUpstream, caller: RemoteCaller, kind: DefinitionKind): Promise<void> {
    const session = await this.#seats.find(keyOf(mounted, caller))?.session.catch(ignore);
    session?.doubt();
    if (session === undefined || caller.link === undefined) return; // it is looked at before the next use
    const asking = { s: NOBODY, lastMs: Date.now() + CHANGED_MS };
    try {
      if (kind === 'tools') this.#health.note(mounted, caller, { kind: 'up', drifted: await session.check(asking, 0) });
      else if (await session.hasChanged(kind, asking))
        caller.link.notify({ method: `notifications/${kind}/list_changed` });
    } catch {
      session.doubt(); // whoever uses it next is told
    }
  }

  #sweep(nowMs: number): void {
    this.#health.forget(nowMs);
    this.#seats.endUnused(nowMs - IDLE_MS, (key) => key.includes(' session '));
  }
}

/** The name of a session: whose it is, with which upstream, of which release. */
function keyOf(mounted: MountedUpstream, { name }: RemoteCaller): string {
  return `${viewKey(mounted)} ${name}`;
}

/** What is looked for, or that it did not come in time; what comes later is for the next to use. */
async function within<Found>(ms: number, looking: Promise<Found>): Promise<Found> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new RemoteFailure('', 'it does not answer in time')), ms);
  try {
    return await Promise.race([looking, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function ignore(): undefined {
  return undefined; // it never was open, which whoever asked has been told
}
