import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Environment } from '#libs/config';
import type { Logger } from '#libs/telemetry';

const ENTRY = fileURLToPath(new URL('../../worker-runtime/src/main.js', import.meta.url));
const FIRST_PAUSE_MS = 250;
const PAUSE_MS_MAX = 10_000;
const STEADY_MS = 60_000;
const STOP_MS = 12_000;

/** The worker-runtime as a process of its own, started again when it ends by itself. */
export class RuntimeProcess {
  #child: ChildProcess | undefined;
  #stopping = false;
  #pauseMs = FIRST_PAUSE_MS;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly environment: Environment,
    private readonly logFile: string,
    private readonly logger: Logger,
  ) {}

  start(): void {
    const log = openSync(this.logFile, 'a', 0o600);
    const startedAt = Date.now();
    const child = spawn(process.execPath, ['--enable-source-maps', ENTRY], {
      // With the channel, the child hears of our end however it comes.
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
      env: this.environment,
    });
    closeSync(log);
    this.#child = child;
    child.once('exit', (code, signal) => {
      this.#child = undefined;
      if (this.#stopping) return;
      this.#ended = true;
      if (Date.now() - startedAt > STEADY_MS) this.#pauseMs = FIRST_PAUSE_MS;
      this.logger.error({ code, signal, again_in_ms: this.#pauseMs }, 'worker-runtime ended; starting it again');
      this.#timer = setTimeout(() => this.start(), this.#pauseMs);
      this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MS_MAX);
    });
  }

  /** Whether it has ended by itself since the first start. */
  get ended(): boolean {
    return this.#ended;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exited;
    clearTimeout(timer);
  }
}
