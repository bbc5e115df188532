import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import {
  encodeFrame,
  FrameDecoder,
  sha256Digest,
  type Frame,
  type FromRunnerFrame,
  type Manifest,
  type Mount,
  type ToRunnerFrame,
} from '#libs/protocol';

type Sent<Type extends FromRunnerFrame['t']> = Extract<FromRunnerFrame, { t: Type }>;

/** An MCP answer as tests read it; which half is there, they say themselves. */
export interface Answer {
  readonly result: {
    readonly protocolVersion?: string;
    readonly tools: ReadonlyArray<{ readonly name: string }>;
    readonly content: ReadonlyArray<{ readonly type: string; readonly text: string }>;
    readonly structuredContent?: unknown;
    readonly isError?: boolean;
  };
  readonly error: { readonly code: number; readonly message: string };
}

/** What came of one message: its parts, its final message (if any) and how it ended. */
export interface Reply {
  readonly parts: readonly unknown[];
  readonly message: Answer;
  readonly end: Sent<'done' | 'fail' | 'built'>;
  /** The last payload, byte for byte. */
  readonly payload: Buffer;
}

/** A request that a tool made, and the way to answer it. */
export interface UpstreamFetch {
  readonly header: Sent<'fetch'>;
  readonly body: string;
}

const DEADLINE_MS = 30_000;
const ROOT = path.resolve(import.meta.dirname, '../../../..');
const MAIN = path.join(ROOT, 'dist/apps/worker-runtime/src/runner/main.js');
const READABLE = ['dist', 'node_modules', 'package.json'].map((name) => `--allow-fs-read=${path.join(ROOT, name)}`);

/** The compiled runner as a child process, started and confined as the worker-runtime does it, driven frame by frame. */
export class RunnerProcess {
  readonly process: ChildProcess;
  readonly #pipe: Duplex;
  readonly #frames: Array<Frame<FromRunnerFrame>> = [];
  readonly #waiting = new Set<() => void>();
  #last = 0;
  #ended = false;

  private constructor() {
    this.process = spawn(process.execPath, ['--permission', ...READABLE, '--max-old-space-size=512', MAIN], {
      env: {},
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    this.#pipe = this.process.stdio[3] as Duplex; // a pipe beyond stderr is a socket
    const decoder = new FrameDecoder<FromRunnerFrame>();
    this.#pipe.on('data', (chunk: Buffer) => {
      this.#frames.push(...decoder.push(chunk));
      for (const wake of this.#waiting) wake();
    });
    this.#pipe.on('error', () => this.process.kill('SIGKILL'));
    this.process.once('exit', () => {
      this.#ended = true;
      for (const wake of this.#waiting) wake();
    });
  }

  /** A runner that is ready for its first frame. */
  static async start(): Promise<RunnerProcess> {
    const runner = new RunnerProcess();
    await runner.next((frame) => frame.header.t === 'ready');
    return runner;
  }

  /** A runner that serves these manifests, each by the prefix it is mounted with. */
  static async serving(manifests: Readonly<Record<string, Manifest>>): Promise<RunnerProcess> {
    const runner = await RunnerProcess.start();
    const texts = Object.entries(manifests).map(([prefix, manifest]) => ({
      prefix,
      manifest,
      text: JSON.stringify(manifest),
    }));
    const mounts = texts.map(({ prefix, manifest, text }): Mount => ({
      serverSlug: manifest.server.name,
      releaseId: 'release',
      digest: sha256Digest(text),
      prefix,
    }));
    const parts = texts.map(({ text }) => ({ digest: sha256Digest(text), bytes: Buffer.byteLength(text) }));
    runner.send(
      { t: 'bind', atMs: Date.now(), mounts, manifests: parts },
      Buffer.from(texts.map(({ text }) => text).join('')),
    );
    await runner.next((frame) => frame.header.t === 'bound');
    return runner;
  }

  /** Sends one frame. */
  send(frame: ToRunnerFrame, payload?: Uint8Array): void {
    this.#pipe.write(encodeFrame(frame, payload));
  }

  /** Sends an MCP message of either era; answers the number of its exchange. */
  post(message: unknown, options: Partial<Extract<ToRunnerFrame, { t: 'message' }>> = {}): number {
    const s = ++this.#last;
    const payload =
      message === undefined ? undefined : Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
    this.send(
      { t: 'message', s, era: 'modern', operation: 'message', deadlineMs: Date.now() + DEADLINE_MS, ...options },
      payload,
    );
    return s;
  }

  /** The end of an exchange, with everything that came before it. */
  async reply(s: number): Promise<Reply> {
    const parts: unknown[] = [];
    for (;;) {
      const { header, payload } = await this.next(
        (frame) => 's' in frame.header && frame.header.s === s && frame.header.t !== 'fetch',
      );
      const message: Answer = payload.length === 0 ? undefined : JSON.parse(payload.toString('utf8'));
      if (header.t === 'part') parts.push(message);
      else if (header.t === 'done' || header.t === 'fail' || header.t === 'built')
        return { parts, message, end: header, payload };
    }
  }

  /** Sends a message and waits for its end. */
  ask(message: unknown, options?: Partial<Extract<ToRunnerFrame, { t: 'message' }>>): Promise<Reply> {
    return this.reply(this.post(message, options));
  }

  /** The next request that a tool makes. */
  async nextFetch(): Promise<UpstreamFetch> {
    const { header, payload } = await this.next((frame) => frame.header.t === 'fetch');
    return { header: header as Sent<'fetch'>, body: payload.toString('utf8') }; // the line above asks for exactly this
  }

  /** Answers a request of a tool as egress does. */
  answerFetch(
    fetch: UpstreamFetch,
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string | Uint8Array,
  ): void {
    this.send({ t: 'fetched', f: fetch.header.f, status, headers, ms: 1 }, Buffer.from(body));
  }

  /** Builds a release; the runner ends afterwards. */
  static async build(source: unknown, artefact?: Uint8Array): Promise<Reply> {
    const runner = await RunnerProcess.start();
    const text = Buffer.from(JSON.stringify(source));
    runner.send(
      { t: 'build', s: 1, serverSlug: 'shop', sourceBytes: text.length },
      artefact === undefined ? text : Buffer.concat([text, artefact]),
    );
    const reply = await runner.reply(1);
    await once(runner.process, 'exit');
    return reply;
  }

  /** The first frame of its kind, also one that came before anybody asked; taken out of the queue. */
  async next(wanted: (frame: Frame<FromRunnerFrame>) => boolean): Promise<Frame<FromRunnerFrame>> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    for (;;) {
      const index = this.#frames.findIndex(wanted);
      const [found] = index < 0 ? [] : this.#frames.splice(index, 1);
      if (found !== undefined) return found;
      if (this.#ended) throw new Error('the runner ended before it answered');
      await new Promise<void>((resolve, reject) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', () => reject(new Error('the runner did not answer in time')), { once: true });
      });
    }
  }

  /** Closes the pipe, at which the runner ends by itself. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null) return;
    const ended = once(this.process, 'exit');
    this.#pipe.destroy();
    await ended;
  }
}
