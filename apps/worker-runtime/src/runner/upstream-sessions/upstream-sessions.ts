import type { Notification } from '@modelcontextprotocol/client';
import { sha256Digest } from '#libs/protocol';
import { heardBy } from '../peer/list-changes.js';
import { StandingRequests } from '../listening/standing-requests.js';
import type { EgressPort } from '../egress/egress-port.js';
import type { DefinitionKind } from '../upstream/definitions.js';
import { PinnedSession } from '../upstream/pinned-session.js';
import { RemoteFailure } from '../upstream/remote-failure.js';
import * as failures from '../upstream/upstream-failure.js';
import type { Place } from './placing.js';
import type { UpstreamHealth } from './upstream-health.js';
import { UpstreamSeats, type UpstreamSeat } from './upstream-seats.js';

const SESSIONS_MAX = 1_000;
const IDLE_MS = 10 * 60_000;
const STANDING_MS = 5_000;
const GIVEN_UP_MAX = 3;

/** What sessions stand on. */
export interface SessionParts {
  readonly port: EgressPort;
  readonly health: UpstreamHealth;
  /** Hears that a list of an upstream may have changed. */
  readonly onListChanged: (place: Place, kind: DefinitionKind) => void;
  /** Hears that what an upstream of a release gives to read has changed. */
  readonly onChanged: (digest: string) => void;
}

/**
 * The sessions with upstreams of a worker: one for each caller, upstream and release, shared with nobody. One that its
 * upstream has forgotten is opened once more, and the request that found out, which was not run, is made again.
 */
export class UpstreamSessions {
  readonly #seats = new UpstreamSeats(SESSIONS_MAX);
  readonly standing = new StandingRequests();

  constructor(private readonly parts: SessionParts) {}

  /** The seat of a session that is open or being opened. */
  find(key: string): UpstreamSeat | undefined {
    return this.#seats.find(key);
  }

  /** Uses a session; one that its upstream has forgotten is opened once more, for what it has not run. */
  async use<Answer>(
    place: Place,
    signal: AbortSignal,
    work: (session: PinnedSession, seat: UpstreamSeat) => Promise<Answer>,
  ): Promise<Answer> {
    for (let lost = 0; ; lost += 1) {
      const seat = await this.#take(place, signal);
      try {
        return await this.#seats.use(seat, (session) => work(session, seat));
      } catch (error) {
        const session = await seat.session;
        session.doubt();
        if (lost > 0 || !session.keepsSessions || !failures.isSessionLost(error)) throw error;
        this.#seats.forget(place.key, seat);
      }
    }
  }

  /** Tells all upstreams of a caller. */
  notify(name: string, notification: Notification): void {
    for (const seat of this.#seats.of(name))
      void seat.session.then(
        (session) => session.notify(notification),
        () => undefined, // it never was open, which whoever asked has been told
      );
  }

  /** Ends the sessions of a caller that will not come back. */
  end(name: string): void {
    this.#seats.end(name);
    this.standing.end(name);
  }

  /** Ends what nobody has used for some time, but for those of sessions and of who listens. */
  sweep(nowMs: number): void {
    this.#seats.endUnused(nowMs - IDLE_MS, (caller) => !caller.startsWith('principal '));
  }

  /** A seat whose session is open; where whoever was opening it has left, it is opened for this caller. @throws RemoteFailure */
  async #take(place: Place, signal: AbortSignal): Promise<UpstreamSeat> {
    for (let givenUp = 0; ; givenUp += 1) {
      const seat = this.#seats.find(place.key) ?? this.#seat(place);
      try {
        const session = await seat.session;
        if (!session.closed) return seat;
        this.#seats.forget(place.key, seat);
      } catch (error) {
        const again = failures.isGivenUp(error) && !signal.aborted && givenUp < GIVEN_UP_MAX;
        if (!again) throw failures.remoteFailure(place.mounted.upstream.name, error, 'connect');
      }
    }
  }

  #seat(place: Place): UpstreamSeat {
    const { mounted, caller, key, desk } = place;
    const { health } = this.parts;
    health.refuseWhileDown(mounted, caller);
    const seat = this.#seats.add({ key, caller: caller.name, desk }, () => this.#open(place));
    if (seat === undefined)
      throw new RemoteFailure('Too many upstream sessions are in use. Try again shortly.', 'too many sessions');
    seat.session.catch((error: unknown) => {
      this.#seats.forget(key, seat);
      if (!failures.isDown(error)) return;
      // Where everybody shows a login of their own, a refusal says nothing about anybody else's.
      const own = mounted.upstream.connection !== undefined && failures.isRefusal(error);
      health.failed(mounted, caller, failures.reasonOf(error), own ? 'caller' : 'everybody');
    });
    return seat;
  }

  async #open(place: Place): Promise<PinnedSession> {
    const { mounted, caller, key, link, listens } = place;
    const { upstream, digest } = mounted;
    // What one caller's session hears is so for all callers of this upstream, heard by theirs or not.
    const onListChanged = (kind: DefinitionKind): void => {
      this.#seats.doubt(mounted);
      this.parts.onListChanged(place, kind);
    };
    const { s, lastMs } = caller;
    const session = upstream.connection === undefined ? {} : { session: sha256Digest(key) };
    const heard = heardBy(link, () => this.parts.onChanged(digest));
    const whose = { asking: { s, lastMs }, link: heard, listens, onListChanged, ...session };
    const pinned = await PinnedSession.open({ upstream, digest, port: this.parts.port, ...whose }, upstream.pins);
    const signal = AbortSignal.timeout(STANDING_MS);
    const times = { timeoutMs: STANDING_MS, timeoutMaxMs: STANDING_MS, signal, onProgress: undefined };
    await this.standing.repeat(key, (standing) => pinned.request({ ...standing, ...times }, { s, lastMs }));
    return pinned;
  }
}
