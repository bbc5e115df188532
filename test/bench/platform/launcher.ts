import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

/** The platform as `npm start` runs it, in a data folder of the bench. */
export interface Launched {
  readonly url: string;
  readonly operatorKey: string;
  readonly pid: number;
  readonly dataDir: string;
  /** From the command to ready, in ms. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** Runs the same program as `npm start`, with what differs in its environment, and waits until it says that it is ready. */
export async function launch(
  dataDir: string,
  port: number,
  extra: Readonly<Record<string, string>> = {},
): Promise<Launched> {
  const started = performance.now();
  const child: ChildProcess = spawn(process.execPath, [path.resolve('bin/wharf.mjs'), 'start'], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      WHARF_DATA_DIR: dataDir,
      WHARF_PORT: String(port),
      WHARF_SIGNUPS_PER_HOUR: '1000',
      WHARF_LOG_LEVEL: 'warn',
      ...extra,
    },
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`the platform ended with ${code}`)));
  });
  return {
    url: `http://localhost:${port}`,
    operatorKey: readFileSync(path.join(dataDir, 'operator.key'), 'utf8').trim(),
    pid: child.pid ?? 0,
    dataDir,
    readyMs: performance.now() - started,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
