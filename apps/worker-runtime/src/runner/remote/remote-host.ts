import { type CallToolResult, type Notification, type ProtocolError, type Result } from '@modelcontextprotocol/client';
import { forPeer, inEraOf, mayAsk } from '../bridge/eras.js';
import { HeldCalls, type ModernAsk } from '../bridge/held-calls.js';
import { loginIn } from '../logins/logins.js';
import type { EgressPort } from '../egress/egress-port.js';
import type { LoginNeeded } from '../egress/egress-stream.js';
import { passedOn } from '../peer/open-client.js';
import type { PeerRequest } from '../peer/peer.js';
import { timed } from '../peer/list-changes.js';
import { forCaller, refuseUndeclared } from '../peer/results.js';
import { errorResult } from '../results/results.js';
import type { DefinitionKind } from '../upstream/definitions.js';
import type { Drifted, PinnedSession } from '../upstream/pinned-session.js';
import { RemoteFailure } from '../upstream/remote-failure.js';
import * as failures from '../upstream/upstream-failure.js';
import { NOBODY, type Asking } from '../upstream/upstream-fetch.js';
import { approvedPrompts, definitionRefusal } from './approval.js';
import type { MountedUpstream, UnavailableUpstream } from '../upstream-sessions/mounted-upstream.js';
import { placeFor, type Place } from '../upstream-sessions/placing.js';
import type { RemoteCaller } from '../upstream-sessions/remote-caller.js';
import { UpstreamHealth, viewKey } from '../upstream-sessions/upstream-health.js';
import type { UpstreamSeat } from '../upstream-sessions/upstream-seats.js';
import { UpstreamSessions } from '../upstream-sessions/upstream-sessions.js';
import { UpstreamTasks } from './upstream-tasks.js';
import { within } from './within.js';

const SWEEP_MS = 5_000;
const STANDING_MS = 5_000;
/** How old the last look at an upstream's definitions may be before a call; a list looks anew. */
const CALL_AGE_MS = 60_000;
/** How long a look at a changed list may take, and how long a list waits for an upstream. */
const CHANGED_MS = 10_000;
const LIST_WAIT_MS = 5_000;
/** How long a call may go on at an upstream with all the questions to its client. */
const HELD_MS = 900_000;

/** What is asked and told about lists with upstreams in them. */
export interface ListHearing {
  /** Whether the list of this route has a tool of an upstream at all. */
  readonly lists: (upstream: string) => boolean;
  /** Hears that what an upstream of a release lists has changed, or whether it is there. */
  readonly onListsChanged: (digest: string) => void;
}

/** The upstream servers of a worker. What one and its caller's era do not share is bridged (`runner/bridge`). */
export class RemoteHost {
  readonly #upstreams: readonly MountedUpstream[];
  readonly #sessions: UpstreamSessions;
  readonly #health: UpstreamHealth;
  readonly #held = new HeldCalls();
  readonly #tasks = new UpstreamTasks();
  /** Upstreams that have asked a client something. */
  readonly #asking = new Set<string>();

  constructor(port: EgressPort, upstreams: readonly MountedUpstream[], { lists, onListsChanged }: ListHearing) {
    this.#upstreams = upstreams;
    this.#health = new UpstreamHealth(lists, onListsChanged);
    const onListChanged = (place: Place, kind: DefinitionKind): void => {
      onListsChanged(place.mounted.digest);
      void this.#listChanged(place, kind);
    };
    this.#sessions = new UpstreamSessions({ port, health: this.#health, onListChanged, onChanged: onListsChanged });
    setInterval(() => this.#sweep(Date.now()), SWEEP_MS).unref();
  }

  /** Calls a tool of an upstream; what goes wrong with the upstream is a result. @throws ProtocolError as it answered, or when its definition is not the approved one */
  async callTool(mounted: MountedUpstream, caller: RemoteCaller, call: PeerRequest): Promise<CallToolResult> {
    try {
      return (await this.request(mounted, caller, call)) as CallToolResult; // the caller's SDK checks it
    } catch (error) {
      if (error instanceof RemoteFailure) return errorResult(error.message);
      throw error;
    }
  }

  /** Makes a request of an upstream for a caller. @throws ProtocolError as it answered; RemoteFailure; LoginNeeded */
  async request(mounted: MountedUpstream, caller: RemoteCaller, request: PeerRequest): Promise<Result> {
    const { client } = caller;
    try {
      const place = this.#place(mounted, caller, request.method);
      const { desk } = place;
      if (client === undefined || desk === undefined || mounted.upstream.era === 'modern' || !mayAsk(request.method))
        return await this.#run(place, request, caller);
      const asked: ModernAsk = { caller: { ...caller, client }, request };
      const resumed = this.#held.resume(asked);
      if (resumed !== undefined) return await resumed;
      desk.claim();
      const { s, lastMs } = caller;
      const whose = place.listens ? ({ s, lastMs: Date.now() + HELD_MS, lasts: true } as const) : { s, lastMs };
      return await this.#held.begin(desk, asked, (limits) => this.#run(place, { ...request, ...limits }, whose));
    } catch (error) {
      return inEraOf(this.#failureOf(mounted, caller, error), caller, request);
    }
  }

  /** Looks after all upstreams for a list: those whose tools are not there now, and why. */
  async findUnavailable(caller: RemoteCaller, signal: AbortSignal): Promise<UnavailableUpstream[]> {
    const looked = await Promise.all(this.#upstreams.map((mounted) => this.look(mounted, caller, signal)));
    this.#health.tell(caller.name);
    return looked.flatMap((reason, index) => {
      const mounted = this.#upstreams[index];
      if (reason === undefined || mounted === undefined) return [];
      return [{ server: mounted.serverSlug, upstream: mounted.upstream.name, reason }];
    });
  }

  /** Why an upstream is not there; undefined when it is. A caller that is told of changes hears of those that this finds. */
  async look(mounted: MountedUpstream, caller: RemoteCaller, signal: AbortSignal): Promise<string | undefined> {
    const askedAtMs = Date.now();
    const place = this.#place(mounted, caller, 'tools/list');
    const looking = this.#sessions.use(place, signal, (session) => session.check(caller, Date.now() - askedAtMs));
    try {
      const drifted: Drifted = await within(LIST_WAIT_MS, looking);
      this.#health.note(mounted, caller, { kind: 'up', drifted });
      return undefined;
    } catch (error) {
      if (loginIn(error) !== undefined) return undefined; // its tools are how a person gets to log in
      const reason = error instanceof RemoteFailure ? error.reason : failures.reasonOf(error);
      this.#health.note(mounted, caller, { kind: 'down', reason });
      return reason;
    }
  }

  /** Whether a caller's list leaves out the tools of an upstream. */
  hides(mounted: MountedUpstream, caller: string): boolean {
    return this.#health.hides(mounted, caller);
  }

  /** Tells all upstreams of a caller. */
  notify(name: string, notification: Notification): void {
    this.#sessions.notify(name, notification);
  }

  /** Ends the sessions of a caller that will not come back. */
  end(name: string): void {
    this.#sessions.end(name);
    this.#health.end(name);
  }

  #place(mounted: MountedUpstream, caller: RemoteCaller, method: string): Place {
    return placeFor(mounted, caller, {
      findDesk: (key) => this.#sessions.find(key)?.desk,
      alone: this.#asking.has(viewKey(mounted)) && mayAsk(method),
      hearing: { changed: () => undefined, asked: () => this.#asking.add(viewKey(mounted)) },
    });
  }

  /** Makes a request in the era of the session, and answers in the caller's. */
  #run(place: Place, request: PeerRequest, whose: Omit<Asking, 'kind'>): Promise<Result> {
    const { mounted, caller, key, desk } = place;
    return this.#sessions.use(place, request.signal, async (session, seat) => {
      const drifted = await session.check(whose, CALL_AGE_MS);
      this.#health.note(mounted, caller, { kind: 'up', drifted });
      definitionRefusal(mounted, drifted, request);
      const { era } = session;
      if (era === 'modern' && request.method === 'logging/setLevel') {
        this.#sessions.standing.note(key, request);
        return {};
      }
      await this.#setLevel(place, session, seat);
      const crossing = { caller, era, logs: mounted.offers.logging !== undefined };
      const asked = forPeer(crossing, request, this.#sessions.standing.level(key));
      const leave = caller.client && era === 'modern' ? desk?.enter({ client: caller.client }) : undefined;
      const answered = await this.#ask(place, session, asked, whose).finally(leave);
      const answer = forCaller(answered, caller.client === undefined ? 'legacy' : 'modern');
      if (caller.client !== undefined) refuseUndeclared(answer, caller.client.capabilities);
      this.#sessions.standing.note(key, request);
      const shown = request.method === 'prompts/list' ? approvedPrompts(mounted, answer) : answer;
      if (caller.client === undefined) return shown;
      return timed(request.method, shown, session, place.listens ? 'heard' : 'unheard');
    });
  }

  /** An upstream of the 2026 era may want to run a call as a task. */
  #ask({ mounted, caller }: Place, session: PinnedSession, asked: PeerRequest, whose: Omit<Asking, 'kind'>) {
    if (session.era === 'legacy') return session.request(asked, whose);
    const capabilities = caller.client?.capabilities ?? passedOn(caller.link?.capabilities ?? {});
    const tool = `${viewKey(mounted)} ${String(asked.params['name'])}`;
    return this.#tasks.request(tool, asked, { session, whose, capabilities });
  }

  /** An upstream of the 2025 era is told a level once; a request of the 2026 era names its own. */
  async #setLevel({ mounted, caller }: Place, session: PinnedSession, seat: UpstreamSeat): Promise<void> {
    const level = caller.client?.logLevel;
    if (level === undefined || session.era === 'modern' || mounted.offers.logging === undefined) return;
    if (seat.level === level) return;
    seat.level = level;
    const signal = AbortSignal.timeout(STANDING_MS);
    const times = { timeoutMs: STANDING_MS, timeoutMaxMs: STANDING_MS, signal, onProgress: undefined };
    const request = { method: 'logging/setLevel', params: { level }, ...times };
    await session.request(request, caller).catch(() => undefined); // it logs as it likes
  }

  #failureOf(
    mounted: MountedUpstream,
    caller: RemoteCaller,
    error: unknown,
  ): ProtocolError | RemoteFailure | LoginNeeded {
    if (error instanceof RemoteFailure) return error;
    const answered = failures.answeredIn(error);
    if (answered !== undefined) return failures.relayedError(answered, caller);
    if (failures.isUnreachable(error))
      this.#health.note(mounted, caller, { kind: 'down', reason: failures.reasonOf(error) });
    return failures.remoteFailure(mounted.upstream.name, error, 'request');
  }

  /** An upstream says that a list has changed: its caller hears of it when what it is shown has. */
  async #listChanged({ mounted, caller, key, link, desk }: Place, kind: DefinitionKind): Promise<void> {
    const session = await this.#sessions.find(key)?.session.catch(() => undefined); // told to whoever asked
    session?.doubt();
    if (session === undefined || desk !== undefined) return; // it is looked at before the next use
    const asking = { s: NOBODY, lastMs: Date.now() + CHANGED_MS };
    try {
      if (kind === 'tools') this.#health.note(mounted, caller, { kind: 'up', drifted: await session.check(asking, 0) });
      else if (await session.hasChanged(kind, asking)) link.notify({ method: `notifications/${kind}/list_changed` });
    } catch {
      session.doubt(); // whoever uses it next is told
    }
  }

  #sweep(nowMs: number): void {
    this.#health.forget(nowMs);
    this.#sessions.sweep(nowMs);
  }
}
