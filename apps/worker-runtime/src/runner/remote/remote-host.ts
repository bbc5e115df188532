import { ProtocolError, type CallToolResult, type Notification, type Result } from '@modelcontextprotocol/client';
import { CrashDelay } from '../hosting/crash-delay.js';
import { relayedError } from '../hosting/failure-of.js';
import { Seats, type Seat } from '../hosting/seats.js';
import { StandingRequests } from '../hosting/standing-requests.js';
import type { EgressPort } from '../serve/egress-port.js';
import type { StdioCaller } from '../stdio/caller-link.js';
import { withoutSender } from '../stdio/server-requests.js';
import { errorResult } from '../tools/results.js';
import { approvedPrompts, definitionRefusal } from './approval.js';
import type { DefinitionKind } from './definitions.js';
import type { MountedUpstream, UnavailableUpstream } from './mounted-upstream.js';
import { PinnedSession } from './pinned-session.js';
import { ToolViews } from './tool-views.js';
import { NOBODY } from './upstream-fetch.js';
import {
  answeredIn,
  isDown,
  isGivenUp,
  isSessionLost,
  isUnreachable,
  reasonOf,
  remoteFailure,
} from './upstream-failure.js';
import { RemoteFailure } from './remote-failure.js';
import type { UpstreamRequest } from './upstream-session.js';

/** Whose request it is: a session or a principal, and the exchange that waits. */
export interface RemoteCaller extends StdioCaller {
  readonly s: number;
  /** Epoch milliseconds past which nobody waits. */
  readonly lastMs: number;
}

const SESSIONS_MAX = 1_000;
const IDLE_MS = 10 * 60_000;
const SWEEP_MS = 5_000;
const STANDING_MS = 5_000;
const GIVEN_UP_MAX = 3;
/** How old the last look at an upstream's definitions may be: for a call, and for a list. */
const CALL_AGE_MS = 60_000;
const LIST_AGE_MS = 0;
/** How long a look at a changed list may take. */
const CHANGED_MS = 10_000;
/** How long a list waits for an upstream. */
const LIST_WAIT_MS = 5_000;

/**
 * The upstream servers of a worker. A session with one is opened for each caller (a session, or a principal where there
 * are none) and upstream and release, and shared with nobody. One that its upstream has forgotten is opened once more,
 * and the request that found out, which was not run, is made again.
 */
export class RemoteHost {
  readonly #port: EgressPort;
  readonly #upstreams: readonly MountedUpstream[];
  readonly #seats = new Seats<PinnedSession>(SESSIONS_MAX);
  readonly #standing = new StandingRequests();
  readonly #down = new CrashDelay();
  readonly #views = new ToolViews();
  /** Sessions that are not used for new calls, until those that run have ended. */
  readonly #lost = new WeakSet<Seat<PinnedSession>>();

  constructor(port: EgressPort, upstreams: readonly MountedUpstream[]) {
    this.#port = port;
    this.#upstreams = upstreams;
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
    for (let lost = 0; ; lost += 1) {
      const seat = await this.#take(mounted, caller, request.signal);
      const session = await seat.server;
      this.#seats.enter(seat);
      try {
        const drifted = await session.check(caller, CALL_AGE_MS);
        this.#note(mounted, caller, { kind: 'up', drifted });
        definitionRefusal(mounted, drifted, request);
        const answer = withoutSender(await session.request(request, caller));
        this.#standing.note(keyOf(mounted, caller), request);
        return request.method === 'prompts/list' ? approvedPrompts(mounted, answer) : answer;
      } catch (error) {
        session.doubt();
        if (lost === 0 && session.keepsSessions && isSessionLost(error)) this.#drop(mounted, caller, seat);
        else throw this.#failed(mounted, caller, error);
      } finally {
        this.#leave(seat);
      }
    }
  }

  /** Looks after all upstreams for a list: those whose tools are not there now, and why. */
  async findUnavailable(caller: RemoteCaller, signal: AbortSignal): Promise<UnavailableUpstream[]> {
    const looked = await Promise.all(this.#upstreams.map((mounted) => this.#look(mounted, caller, signal)));
    this.#views.tell(caller.name);
    return looked.flatMap((reason, index) => {
      const mounted = this.#upstreams[index];
      if (reason === undefined || mounted === undefined) return [];
      return [{ server: mounted.serverSlug, upstream: mounted.upstream.name, reason }];
    });
  }

  /** Whether a caller's list leaves out a tool of an upstream: it is not there, or not as it was approved. */
  hides(mounted: MountedUpstream, caller: string, tool: string): boolean {
    const view = this.#views.find(caller, viewKey(mounted));
    if (view?.kind === 'down') return true;
    return view !== undefined && [...view.drifted.tools.changed, ...view.drifted.tools.removed].includes(tool);
  }

  /** Tells all upstreams of a caller. */
  notify(name: string, notification: Notification): void {
    for (const seat of this.#seats.of(name)) void seat.server.then((session) => session.notify(notification), ignore);
  }

  /** Ends the sessions of a caller that will not come back. */
  end(name: string): void {
    this.#seats.end(name);
    this.#standing.end(name);
    this.#views.end(name);
  }

  /** A seat whose session is open. @throws RemoteFailure */
  async #take(mounted: MountedUpstream, caller: RemoteCaller, signal: AbortSignal): Promise<Seat<PinnedSession>> {
    for (let givenUp = 0; ; givenUp += 1) {
      const seat = this.#seats.find(keyOf(mounted, caller)) ?? this.#seat(mounted, caller);
      try {
        await seat.server;
        return seat;
      } catch (error) {
        const again = isGivenUp(error) && !signal.aborted && givenUp < GIVEN_UP_MAX;
        if (!again)
          throw error instanceof RemoteFailure ? error : remoteFailure(mounted.upstream.name, error, 'connect');
      }
    }
  }

  #seat(mounted: MountedUpstream, caller: RemoteCaller): Seat<PinnedSession> {
    const { name } = mounted.upstream;
    const key = keyOf(mounted, caller);
    const waitMs = this.#down.waitMs(viewKey(mounted), Date.now());
    if (waitMs > 0) {
      const view = this.#views.find(caller.name, viewKey(mounted));
      const reason = view?.kind === 'down' ? view.reason : 'it could not be reached just now';
      const seconds = Math.ceil(waitMs / 1_000);
      this.#note(mounted, caller, { kind: 'down', reason });
      throw new RemoteFailure(
        `${JSON.stringify(name)}, the upstream MCP server behind this, is not there: ${reason}. It is tried again in ${seconds} s. The request was not sent to it.`,
        reason,
      );
    }
    const seat = this.#seats.add(key, caller.name, () => this.#open(mounted, caller));
    if (seat === undefined)
      throw new RemoteFailure('Too many upstream sessions are in use. Try again shortly.', 'busy');
    seat.server.catch((error: unknown) => {
      this.#seats.remove(key, seat);
      if (!isDown(error)) return;
      this.#down.crashed(viewKey(mounted), Date.now());
      this.#note(mounted, caller, { kind: 'down', reason: reasonOf(error) });
    });
    return seat;
  }

  async #open(mounted: MountedUpstream, caller: RemoteCaller): Promise<PinnedSession> {
    const { upstream, digest } = mounted;
    const { link } = caller;
    const onListChanged = (kind: DefinitionKind): void => void this.#listChanged(mounted, caller, kind);
    const start = {
      upstream,
      digest,
      port: this.#port,
      link,
      asking: caller,
      listens: link !== undefined,
      onListChanged,
    };
    const session = await PinnedSession.open(start, upstream.pins);
    const signal = AbortSignal.timeout(STANDING_MS);
    const times = { timeoutMs: STANDING_MS, timeoutMaxMs: STANDING_MS, signal, onProgress: undefined };
    await this.#standing.repeat(keyOf(mounted, caller), (standing) =>
      session.request({ ...standing, ...times }, caller),
    );
    return session;
  }

  /** Forgets a session that its upstream has forgotten; it ends with the last of its calls. */
  #drop(mounted: MountedUpstream, caller: RemoteCaller, seat: Seat<PinnedSession>): void {
    if (this.#seats.remove(keyOf(mounted, caller), seat)) this.#lost.add(seat);
  }

  #leave(seat: Seat<PinnedSession>): void {
    this.#seats.leave(seat);
    if (seat.calls === 0 && this.#lost.delete(seat)) void seat.server.then((session) => session.stop(), ignore);
  }

  #failed(mounted: MountedUpstream, caller: RemoteCaller, error: unknown): ProtocolError | RemoteFailure {
    const answered = answeredIn(error);
    if (answered !== undefined) return relayedError(answered);
    if (isDown(error) && isUnreachable(error)) this.#note(mounted, caller, { kind: 'down', reason: reasonOf(error) });
    return remoteFailure(mounted.upstream.name, error, 'request');
  }

  /** Why an upstream is not there; undefined when it is. */
  async #look(mounted: MountedUpstream, caller: RemoteCaller, signal: AbortSignal): Promise<string | undefined> {
    const looking = this.#take(mounted, caller, signal).then(async (seat) => {
      const session = await seat.server;
      this.#seats.enter(seat);
      try {
        return await session.check(caller, LIST_AGE_MS);
      } catch (error) {
        session.doubt();
        if (!session.keepsSessions || !isSessionLost(error)) throw error;
        this.#drop(mounted, caller, seat);
        return (await (await this.#take(mounted, caller, signal)).server).drifted;
      } finally {
        this.#leave(seat);
      }
    });
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new RemoteFailure('', 'it does not answer in time')), LIST_WAIT_MS);
    try {
      this.#note(mounted, caller, { kind: 'up', drifted: await Promise.race([looking, late.promise]) });
      return undefined;
    } catch (error) {
      const reason = error instanceof RemoteFailure ? error.reason : reasonOf(error);
      this.#note(mounted, caller, { kind: 'down', reason });
      return reason;
    } finally {
      clearTimeout(timer);
    }
  }

  #note(mounted: MountedUpstream, caller: RemoteCaller, view: Parameters<ToolViews['note']>[2]): void {
    if (view.kind === 'up') this.#down.recovered(viewKey(mounted));
    this.#views.note(caller.name, viewKey(mounted), view);
    if (this.#views.hasChanged(caller.name)) caller.link?.notify({ method: 'notifications/tools/list_changed' });
  }

  /** An upstream says that a list has changed: its caller hears of it when what it is shown has. */
  async #listChanged(mounted: MountedUpstream, caller: RemoteCaller, kind: DefinitionKind): Promise<void> {
    const seat = this.#seats.find(keyOf(mounted, caller));
    const session = await seat?.server.catch(ignore);
    session?.doubt();
    if (session === undefined || caller.link === undefined) return; // it is looked at before the next use
    const asking = { s: NOBODY, lastMs: Date.now() + CHANGED_MS };
    try {
      if (kind === 'tools') this.#note(mounted, caller, { kind: 'up', drifted: await session.check(asking, 0) });
      else if (await session.hasChanged(kind, asking))
        caller.link?.notify({ method: `notifications/${kind}/list_changed` });
    } catch {
      session.doubt(); // whoever uses it next is told
    }
  }

  #sweep(nowMs: number): void {
    this.#down.forget(nowMs);
    this.#seats.stopUnused(nowMs - IDLE_MS, (key) => key.includes(' session '));
  }
}

/** The name of a session: whose it is, with which upstream, of which release. */
function keyOf(mounted: MountedUpstream, { name }: RemoteCaller): string {
  return `${viewKey(mounted)} ${name}`;
}

function viewKey({ digest, upstream }: MountedUpstream): string {
  return `${digest} ${upstream.name}`;
}

function ignore(): undefined {
  return undefined; // it never was open, which whoever asked has been told
}
