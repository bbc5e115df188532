import type { CallDesk } from '../bridge/call-desk.js';
import type { StdioServer } from '../stdio/stdio-server.js';

/** Whose process a seat is. */
export interface SeatOwner {
  /** Which of its caller's seats at this server. */
  readonly key: string;
  /** Server and caller. */
  readonly place: string;
  readonly caller: string;
  /** Through which it reaches clients of the 2026 era. */
  readonly desk: CallDesk | undefined;
}

/** A server that is up or coming up, for one caller. */
export interface Seat extends SeatOwner {
  readonly server: Promise<StdioServer>;
  calls: number;
  usedAtMs: number;
  /** Until when it is kept although nobody calls: a task of its caller's runs in it. */
  keptUntilMs: number;
  /** The log level that it was told. */
  level: string | undefined;
}

/** The processes of a worker's third-party servers, a bounded number of them; the one unused for longest makes room. */
export class Seats {
  readonly #seats = new Map<string, Seat>();

  constructor(readonly max: number) {}

  find(key: string): Seat | undefined {
    return this.#seats.get(key);
  }

  /** The seats of a caller. */
  of(caller: string): Seat[] {
    return [...this.#seats.values()].filter((seat) => seat.caller === caller);
  }

  /** A seat whose server is being started; undefined when all are in use. */
  add(owner: SeatOwner, start: () => Promise<StdioServer>): Seat | undefined {
    if (this.#seats.size >= this.max) {
      const [unused] = [...this.#seats]
        .filter(([, seat]) => seat.calls === 0)
        .sort(([, left], [, right]) => left.usedAtMs - right.usedAtMs);
      if (unused === undefined) return undefined;
      this.#stop(...unused);
    }
    const seat = { ...owner, server: start(), calls: 0, usedAtMs: Date.now(), keptUntilMs: 0, level: undefined };
    this.#seats.set(owner.key, seat);
    return seat;
  }

  /** Notes that a call runs. */
  enter(seat: Seat): void {
    seat.calls += 1;
  }

  /** Notes that a call is over. */
  leave(seat: Seat): void {
    seat.calls -= 1;
    seat.usedAtMs = Date.now();
  }

  /** Forgets a seat whose server has ended; false when it was forgotten before. */
  remove(key: string, seat: Seat): boolean {
    return this.#seats.get(key) === seat && this.#seats.delete(key);
  }

  /** Stops the servers of a caller. */
  end(caller: string): void {
    for (const [key, seat] of this.#seats) if (seat.caller === caller) this.#stop(key, seat);
  }

  /** Stops servers that nobody has used for some time, but for those that somebody listens to or has a task in. */
  stopUnused(nowMs: number, idleMs: number, heard: (place: string) => boolean): void {
    for (const [key, seat] of this.#seats) {
      const unused = seat.calls === 0 && seat.usedAtMs < nowMs - idleMs && seat.keptUntilMs < nowMs;
      if (unused && !heard(seat.place)) this.#stop(key, seat);
    }
  }

  #stop(key: string, seat: Seat): void {
    this.#seats.delete(key);
    void seat.server.then(
      (server) => server.stop(),
      () => undefined, // it never was up, which its caller has been told
    );
  }
}
