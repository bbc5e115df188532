import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

const TAIL_CHARACTERS = 2_000;

/** What to run, and where its output goes. */
export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** A server that runs beside this process and ends with it, however this process ends. */
export class ServerProcess {
  readonly exited: Promise<void>;
  #alive = true;

  private constructor(
    private readonly child: ChildProcess,
    guard: ChildProcess,
    private readonly logFile: string,
  ) {
    this.exited = new Promise((resolve) => {
      const over = (): void => {
        this.#alive = false;
        guard.kill('SIGKILL');
        resolve();
      };
      child.once('exit', over).once('error', over);
    });
  }

  /** Starts the command in a process group of its own, so that Ctrl-C reaches only us and we stop it in order. */
  static start({ command, args, logFile, uid, gid }: ServerCommand): ServerProcess {
    const log = openSync(logFile, 'w', 0o600);
    const child = spawn(command, args, {
      stdio: ['ignore', log, log],
      detached: true,
      env: { PATH: '/usr/bin:/bin', LANG: 'C' },
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
    });
    closeSync(log);
    return new ServerProcess(child, guardOf(child.pid ?? 0), logFile);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** The end of its output. */
  tail(): string {
    return readFileSync(this.logFile, 'utf8').slice(-TAIL_CHARACTERS);
  }

  /** Resolves when its output matches; false when it exits or `ms` pass before. */
  async says(text: RegExp, ms: number): Promise<boolean> {
    const until = Date.now() + ms;
    while (this.#alive && Date.now() < until) {
      if (text.test(readFileSync(this.logFile, 'utf8'))) return true;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return false;
  }

  /** Asks it to end, and ends it after `graceMs`. */
  async stop(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    if (!this.#alive) return;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(timer);
  }
}

/** Waits on its input; when that closes, ends the process in order, and after ten seconds at once. */
const GUARD = 'read _; kill -INT "$1" || exit 0; sleep 10; kill -KILL "$1"';

/** A shell that waits on a pipe of ours: when this process is gone without a word, it ends the server. */
function guardOf(pid: number): ChildProcess {
  const guard = spawn('/bin/sh', ['-c', GUARD, 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  return guard;
}
