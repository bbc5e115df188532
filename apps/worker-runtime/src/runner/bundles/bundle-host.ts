import path from 'node:path';
import { ProtocolError, type CallToolResult } from '@modelcontextprotocol/server';
import { ERROR_CATALOGUE } from '#libs/errors';
import { sha256Digest, type Bundle } from '#libs/protocol';
import { errorResult } from '../tools/results.js';
import { unpackArchive } from './archive.js';
import { answeredError, BundleServer, isLate, type BundleCall } from './bundle-server.js';
import { CrashDelay } from './crash-delay.js';

/** A server that is up or coming up, for one caller. */
interface Seat {
  readonly server: Promise<BundleServer>;
  calls: number;
  usedAtMs: number;
}

/** Each is a process of some 50 MB; they share the worker's memory. */
const SERVERS_MAX = 4;
const IDLE_MS = 60_000;
const SWEEP_MS = 5_000;
const MESSAGE_CHARACTERS_MAX = 2_000;

/**
 * The bundles of a worker: unpacked once, their servers started for each caller (a session, or a principal where there
 * are none), stopped when idle.
 */
export class BundleHost {
  readonly #root = process.cwd();
  readonly #folders = new Map<string, Promise<string>>();
  readonly #seats = new Map<string, Seat>();
  readonly #crashes = new CrashDelay();
  #last = 0;

  constructor() {
    setInterval(() => this.#sweep(Date.now()), SWEEP_MS).unref();
  }

  /** Takes a bundle's archive, once. */
  unpack(digest: string, archive: Buffer): void {
    const folder = path.join(this.#root, `bundle-${++this.#last}`);
    const unpacked =
      sha256Digest(archive) === digest
        ? unpackArchive(archive, folder).then(() => folder)
        : Promise.reject(new Error('an archive does not match its digest'));
    unpacked.catch((error: unknown) => log('bundle not unpacked', error));
    this.#folders.set(digest, unpacked);
  }

  /** Calls a tool of a bundle for a caller. @throws ProtocolError as its server answered */
  async call(bundle: Bundle, caller: string, call: BundleCall): Promise<CallToolResult> {
    const key = `${bundle.artefact} ${caller}`;
    const waitMs = this.#crashes.waitMs(key, Date.now());
    if (waitMs > 0) return errorResult(`${stoppedAgain(bundle)} Try again in ${Math.ceil(waitMs / 1_000)} s.`);
    const seat = this.#seats.get(key) ?? this.#seat(bundle, key);
    if (seat === undefined)
      return errorResult(`All ${SERVERS_MAX} processes of the bundled servers are busy. Try again shortly.`);
    seat.calls += 1;
    try {
      return await runCall(await seat.server, call);
    } catch (error) {
      if (answeredError(error) === undefined) void this.#replaceStuck(key, seat);
      return failureOf(error, bundle, call.signal);
    } finally {
      seat.calls -= 1;
      seat.usedAtMs = Date.now();
    }
  }

  /** Stops the servers of a caller that will not come back. */
  end(caller: string): void {
    for (const key of this.#seats.keys()) if (key.endsWith(` ${caller}`)) this.#stop(key);
  }

  #seat(bundle: Bundle, key: string): Seat | undefined {
    if (this.#seats.size >= SERVERS_MAX) {
      const [unused] = [...this.#seats]
        .filter(([, seat]) => seat.calls === 0)
        .sort(([, left], [, right]) => left.usedAtMs - right.usedAtMs);
      if (unused === undefined) return undefined;
      this.#stop(unused[0]);
    }
    const seat: Seat = { server: this.#start(bundle, () => crash()), calls: 0, usedAtMs: Date.now() };
    const crash = (): void => {
      if (this.#seats.get(key) !== seat) return;
      this.#seats.delete(key);
      this.#crashes.crashed(key, Date.now());
    };
    this.#seats.set(key, seat);
    seat.server.catch((error: unknown) => {
      log('bundled server not started', error);
      crash();
    });
    return seat;
  }

  async #start({ artefact, entryPoint, era }: Bundle, onCrash: () => void): Promise<BundleServer> {
    const folder = await this.#folders.get(artefact);
    if (folder === undefined) throw new Error('the archive of the bundle is missing');
    return BundleServer.start({
      folder,
      entryPoint,
      era,
      home: path.join(this.#root, `home-${++this.#last}`),
      onCrash,
    });
  }

  /** After a call that was given up: a server that answers nobody any more is ended, and the next call meets a new one. */
  async #replaceStuck(key: string, seat: Seat): Promise<void> {
    if (this.#seats.get(key) !== seat) return;
    const server = await seat.server;
    if (!(await server.answers()) && this.#seats.get(key) === seat) server.kill();
  }

  #stop(key: string): void {
    const seat = this.#seats.get(key);
    this.#seats.delete(key);
    void seat?.server.then(
      (server) => server.stop(),
      () => undefined, // it never was up, which its caller has been told
    );
  }

  #sweep(nowMs: number): void {
    this.#crashes.forget(nowMs);
    for (const [key, seat] of this.#seats) {
      if (seat.calls === 0 && nowMs - seat.usedAtMs > IDLE_MS) this.#stop(key);
    }
  }
}

/** An answer without what only concerns the two of us: the result's type and its sender. */
async function runCall(server: BundleServer, call: BundleCall): Promise<CallToolResult> {
  const { content, structuredContent, isError } = await server.callTool(call);
  return {
    content,
    ...(structuredContent === undefined ? {} : { structuredContent }),
    ...(isError === undefined ? {} : { isError }),
  };
}

function failureOf(error: unknown, bundle: Bundle, signal: AbortSignal): CallToolResult {
  if (signal.aborted) return errorResult('The call was cancelled.');
  const answered = answeredError(error);
  if (answered !== undefined) {
    const { invalid_params: invalid, internal } = ERROR_CATALOGUE;
    const code = answered.code === invalid.jsonRpc ? invalid.jsonRpc : internal.jsonRpc;
    throw new ProtocolError(code, answered.message.slice(0, MESSAGE_CHARACTERS_MAX));
  }
  log('bundled server failed', error);
  const what = isLate(error) ? 'did not answer in time' : 'stopped or did not start before it answered';
  return errorResult(
    `${JSON.stringify(bundle.name)}, the bundled server behind this tool, ${what}. The call may have run: check before you repeat one that changes something.`,
  );
}

function stoppedAgain({ name }: Bundle): string {
  return `${JSON.stringify(name)}, the bundled server behind this tool, has stopped several times in a row and is started again shortly.`;
}

function log(message: string, error: unknown): void {
  process.stderr.write(`${JSON.stringify({ level: 'error', message, error: String(error).slice(0, 1_000) })}\n`);
}
