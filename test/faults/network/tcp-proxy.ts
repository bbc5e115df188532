import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { roomIn } from './room-in.js';

/** What a network can do to the connections of one link. */
export const NETWORK_FAULTS = ['latency', 'reset', 'black hole', 'half-open', 'slow drip'] as const;

/** One of them. */
export type NetworkFault = (typeof NETWORK_FAULTS)[number];

const LATENCY_MS = 300;
const DRIP = { bytes: 64, everyMs: 25 } as const;

/** One connection through the proxy: the caller's end, and ours to the target. */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/**
 * A TCP proxy in front of one target, with a fault that is switched on and off beneath the connections that are open:
 *
 * - latency: every chunk comes 300 ms later, in order;
 * - reset: every connection ends with a reset, new ones too;
 * - black hole: nothing passes and nothing ends; what was under way arrives when the fault is over;
 * - half-open: the target's ends are gone and the callers' are not told, ever: what they send is taken and never answered,
 *   after the fault too, as with a machine that lost its power behind a firewall that forgot it;
 * - slow drip: 64 bytes every 25 ms.
 */
export class TcpProxy {
  readonly #pairs = new Set<Pair>();
  #fault: NetworkFault | undefined;
  #passedBytes = 0;

  private constructor(
    private readonly server: Server,
    private target: number,
  ) {
    server.on('connection', (near) => this.#open(near));
  }

  /** Listens on the loopback, at a port of its own, for a target that may be started later. */
  static async open(target: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, target);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port; // a TCP server's address
  }

  /** What has gone through it so far, both ways. */
  get passedBytes(): number {
    return this.#passedBytes;
  }

  /** From now on connections go to this port of the machine. */
  aim(target: number): void {
    this.target = target;
  }

  begin(fault: NetworkFault): void {
    this.#fault = fault;
    for (const pair of this.#pairs) {
      if (fault === 'reset') resetBoth(pair);
      if (fault === 'half-open') pair.far.destroy();
      if (fault === 'black hole') for (const end of [pair.near, pair.far]) end.pause();
    }
  }

  end(): void {
    const fault = this.#fault;
    this.#fault = undefined;
    if (fault !== 'black hole') return;
    for (const pair of this.#pairs) for (const end of [pair.near, pair.far]) end.resume();
  }

  close(): Promise<void> {
    for (const { near, far } of this.#pairs) for (const end of [near, far]) end.destroy();
    return new Promise((resolve) => void this.server.close(() => resolve()));
  }

  #open(near: Socket): void {
    if (this.#fault === 'reset') {
      near.on('error', () => undefined);
      return void near.resetAndDestroy();
    }
    const pair = { near, far: connect(this.target, '127.0.0.1') };
    this.#pairs.add(pair);
    this.#pump(pair.near, pair.far);
    this.#pump(pair.far, pair.near);
    const forget = (): void => void this.#pairs.delete(pair);
    pair.near.on('error', () => undefined).on('close', () => this.#endOf(pair, pair.far, forget));
    pair.far.on('error', () => undefined).on('close', () => this.#endOf(pair, pair.near, forget));
    if (this.#fault === 'half-open') pair.far.destroy();
    if (this.#fault === 'black hole') for (const end of [pair.near, pair.far]) end.pause();
  }

  /** One end is gone: the other goes too, but for a caller that a half-open link does not tell. */
  #endOf(pair: Pair, other: Socket, forget: () => void): void {
    if (other === pair.near && this.#fault === 'half-open') {
      other.resume();
      return;
    }
    if (other === pair.near && !other.destroyed && pair.far.errored !== null) other.resetAndDestroy();
    else other.destroy();
    forget();
  }

  #pump(from: Socket, to: Socket): void {
    let last = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      const dueMs = performance.now() + (this.#fault === 'latency' ? LATENCY_MS : 0);
      last = last.then(() => this.#pass(chunk, dueMs, from, to));
    });
    from.on('end', () => {
      last = last.then(() => void (this.#fault === 'half-open' || to.end()));
    });
  }

  async #pass(chunk: Buffer, dueMs: number, from: Socket, to: Socket): Promise<void> {
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await pause(waitMs);
    let rest = chunk;
    this.#passedBytes += chunk.length;
    while (this.#fault === 'slow drip' && rest.length > DRIP.bytes && !to.destroyed) {
      to.write(rest.subarray(0, DRIP.bytes));
      rest = rest.subarray(DRIP.bytes);
      await pause(DRIP.everyMs);
    }
    if (to.destroyed || to.write(rest)) return;
    from.pause();
    await roomIn(to);
    if (this.#fault !== 'black hole') from.resume();
  }
}

function resetBoth({ near, far }: Pair): void {
  near.resetAndDestroy();
  far.resetAndDestroy();
}
