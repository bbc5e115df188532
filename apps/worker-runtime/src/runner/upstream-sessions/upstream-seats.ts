import type { CallDesk } from '../bridge/call-desk.js';
import type { PinnedSession } from '../upstream/pinned-session.js';
import type { MountedUpstream } from './mounted-upstream.js';
import { viewKey } from './upstream-health.js';

/** Whose session it is. */
export interface UpstreamSeatOwner {
  readonly key: string;
  readonly caller: string;
  /** Through which it reaches clients of the 2026 era. */
  readonly desk: CallDesk | undefined;
}

/** A session that is open or being opened, for one caller. */
export interface UpstreamSeat extends UpstreamSeatOwner {
  readonly session: Promise<PinnedSession>;
  calls: number;
  usedAtMs: number;
  /** The log level that its upstream was told for a client of the 2026 era. */
  level: string | undefined;
}

/** The upstream sessions of a worker, a bounded number of them; the one unused for longest makes room. */
export class UpstreamSeats {
  readonly #seats = new Map<string, UpstreamSeat>();
  /** Forgotten while calls ran by them; they end with the last. */
  readonly #leaving = new WeakSet<UpstreamSeat>();

  constructor(private readonly max: number) {}

  find(key: string): UpstreamSeat | undefined {
    return this.#seats.get(key);
  }

  /** The seats of a caller. */
  of(caller: string): UpstreamSeat[] {
    return [...this.#seats.values()].filter((seat) => seat.caller === caller);
  }

  /** A seat whose session is being opened; undefined when all are in use. */
  add(owner: UpstreamSeatOwner, open: () => Promise<PinnedSession>): UpstreamSeat | undefined {
    if (this.#seats.size >= this.max) {
      const [unused] = [...this.#seats]
        .filter(([, seat]) => seat.calls === 0)
        .sort(([, left], [, right]) => left.usedAtMs - right.usedAtMs);
      if (unused === undefined) return undefined;
      this.forget(...unused);
    }
    const seat: UpstreamSeat = { ...owner, session: open(), calls: 0, usedAtMs: Date.now(), level: undefined };
    this.#seats.set(owner.key, seat);
    return seat;
  }

  /** Uses a session; one that was forgotten meanwhile ends with its last use. */
  async use<Answer>(seat: UpstreamSeat, work: (session: PinnedSession) => Promise<Answer>): Promise<Answer> {
    seat.calls += 1;
    try {
      return await work(await seat.session);
    } finally {
      seat.calls -= 1;
      seat.usedAtMs = Date.now();
      if (seat.calls === 0 && this.#leaving.delete(seat)) stop(seat);
    }
  }

  /** Forgets a seat, unless another has taken its place. */
  forget(key: string, seat: UpstreamSeat): void {
    if (this.#seats.get(key) !== seat) return;
    this.#seats.delete(key);
    if (seat.calls === 0) stop(seat);
    else this.#leaving.add(seat);
  }

  /** What an upstream of a release lists may have changed: each session looks at it before its next use. */
  doubt(mounted: MountedUpstream): void {
    const ofUpstream = `${viewKey(mounted)} `;
    for (const [key, { session }] of this.#seats)
      if (key.startsWith(ofUpstream))
        void session.then(
          (open) => open.doubt(),
          () => undefined, // it never was open, so nothing of it is believed
        );
  }

  /** Ends the sessions of a caller. */
  end(caller: string): void {
    for (const [key, seat] of this.#seats) if (seat.caller === caller) this.forget(key, seat);
  }

  /** Ends what nobody has used since, but for what is to be kept. */
  endUnused(sinceMs: number, isKept: (caller: string) => boolean): void {
    for (const [key, seat] of this.#seats)
      if (seat.calls === 0 && seat.usedAtMs < sinceMs && !isKept(seat.caller)) this.forget(key, seat);
  }
}

function stop({ session }: UpstreamSeat): void {
  void session.then(
    (open) => open.stop(),
    () => undefined, // it never was open, which whoever asked has been told
  );
}
