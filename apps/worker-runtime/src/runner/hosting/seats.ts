import type { StdioServer } from '../stdio/stdio-server.js';

/** A server that is up or coming up, for one caller. */
export interface Seat {
  readonly caller: string;
  readonly server: Promise<StdioServer>;
  calls: number;
  usedAtMs: number;
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
  add(key: string, caller: string, start: () => Promise<StdioServer>): Seat | undefined {
    if (this.#seats.size >= this.max) {
      const [unused] = [...this.#seats]
        .filter(([, seat]) => seat.calls === 0)
        .sort(([, left], [, right]) => left.usedAtMs - right.usedAtMs);
      if (unused === undefined) return undefined;
      this.#stop(...unused);
    }
    const seat: Seat = { caller, server: start(), calls: 0, usedAtMs: Date.now() };
    this.#seats.set(key, seat);
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

  /** Stops servers that nobody has used since, but for those that somebody listens to. */
  stopUnused(sinceMs: number, heard: (key: string) => boolean): void {
    for (const [key, seat] of this.#seats)
      if (seat.calls === 0 && seat.usedAtMs < sinceMs && !heard(key)) this.#stop(key, seat);
  }

  #stop(key: string, seat: Seat): void {
    this.#seats.delete(key);
    void seat.server.then(
      (server) => server.stop(),
      () => undefined, // it never was up, which its caller has been told
    );
  }
}
